"""The paper's Figure 1 as a generator of steps: what comes next follows from the reports so far and the protocol.

`itinerary` is replayed from the start after every step; the next step is the first one without a report. So resuming
after any crash is free, and the plan is tested without a database. Reports carry only what later steps need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

from kappakit.protocol import Protocol


@dataclass(frozen=True)
class StepKey:
    """Which step: its name, the sweep over candidates (0 the sample, 1… neighbours), the committee's iteration."""

    name: str
    sweep: int = 0
    iteration: int = 0

    def __str__(self) -> str:
        return f"{self.name}/{self.sweep}/{self.iteration}"


@dataclass(frozen=True)
class PlannedStep:
    """A step and the candidates (ids) that it is about; empty: all that the step's own rule takes."""

    key: StepKey
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class CountReport:
    """For steps whose results lie on the candidates: how many came out and how many fell away."""

    kept: int
    dropped: int = 0


@dataclass(frozen=True)
class EmbedReport:
    """The frozen map that the step made."""

    map_id: int
    points: int


@dataclass(frozen=True)
class SelectionReport:
    """A recorded selection (diverse sample or neighbours) and its candidates."""

    selection_id: int
    candidates: tuple[int, ...]


@dataclass(frozen=True)
class KappaPlanReport:
    """`start`: candidates whose κ_L begins by itself; `waiting`: too large, somebody may start them."""

    start: tuple[int, ...]
    waiting: tuple[int, ...] = ()


@dataclass(frozen=True)
class ConductivityReport:
    """`ultrahigh`: candidates above the protocol's limit, with dynamically stable phonons and kept symmetry."""

    computed: int
    ultrahigh: tuple[int, ...]


@dataclass(frozen=True)
class UncertaintyReport:
    """`worst`: the most uncertain candidate above the threshold that has no labels yet (None: the loop ends).

    `above`: candidates above the threshold, most uncertain first, those labelled before among them; `highest` meV/atom
    or eV/Å, as the criterion is.
    """

    worst: int | None
    above: tuple[int, ...] = ()
    highest: float | None = None


Report = CountReport | EmbedReport | SelectionReport | KappaPlanReport | ConductivityReport | UncertaintyReport

REPORTS: dict[str, type] = {
    "import_structures": CountReport,
    "generate": CountReport,
    "training_crystals": CountReport,
    "generation_report": CountReport,
    "thin": CountReport,
    "relax": CountReport,
    "deduplicate": CountReport,
    "novelty": CountReport,
    "training_novelty": CountReport,
    "screen": CountReport,
    "stability": CountReport,
    "embed": EmbedReport,
    "sample": SelectionReport,
    "start_set": CountReport,
    "train_committee": CountReport,
    "uncertainty": UncertaintyReport,
    "dft_labels": CountReport,
    "final_fit": CountReport,
    "kappa_plan": KappaPlanReport,
    "conductivity": ConductivityReport,
    "kappa_spread": CountReport,
    "neighbours": SelectionReport,
}

TITLES: dict[str, str] = {
    "import_structures": "Import crystals",
    "generate": "Generate crystals",
    "training_crystals": "Add the generator's training crystals",
    "generation_report": "Measure what was generated",
    "thin": "Drop near-duplicates before relaxation",
    "relax": "Relax",
    "deduplicate": "Remove duplicates",
    "novelty": "Compare with known crystals",
    "training_novelty": "Compare with the generator's training crystals",
    "screen": "Screen by size and symmetry",
    "stability": "Energy above the hull",
    "embed": "Map (SOAP, t-SNE)",
    "sample": "Diverse sample (farthest points)",
    "start_set": "Labelled configurations to begin with",
    "train_committee": "Train the committee",
    "uncertainty": "Uncertainty",
    "dft_labels": "DFT labels",
    "final_fit": "Final fit",
    "kappa_plan": "Standardise and plan κ_L",
    "conductivity": "Thermal conductivity κ_L",
    "kappa_spread": "κ_L by every member of the committee",
    "neighbours": "Neighbours of good ones",
}


def itinerary(reports: Mapping[StepKey, Report], protocol: Protocol) -> Iterator[PlannedStep]:
    """The steps in order, as far as the reports so far determine them.

    The iterator stops early where the next step depends on a report that is missing; it is exhausted with every
    yielded step reported exactly when the campaign is finished.
    """
    yield from _pool(protocol)
    sample = reports.get(StepKey("sample"))
    if isinstance(sample, SelectionReport):
        yield from _sweeps(reports, protocol, sample.candidates)


def next_step(reports: Mapping[StepKey, Report], protocol: Protocol) -> PlannedStep | None:
    """The first step without a report; None when the campaign is finished."""
    return next((step for step in itinerary(reports, protocol) if step.key not in reports), None)


def report_from_dict(step: str, data: dict[str, Any]) -> Report:
    """The Report of a step from the plain JSON on its row (lists become tuples)."""
    kind = REPORTS[step]
    hints = get_type_hints(kind)
    return kind(**{k: tuple(v) if "tuple" in str(hints[k]) else v for k, v in data.items()})


def report_as_dict(report: Report) -> dict[str, Any]:
    """Plain JSON of a report."""
    return asdict(report)


def _pool(protocol: Protocol) -> Iterator[PlannedStep]:
    if protocol.source in ("import", "both"):
        yield PlannedStep(StepKey("import_structures"))
    if protocol.source in ("generate", "both"):
        yield from _generated(protocol)
    for name in ("relax", "deduplicate", "novelty"):
        yield PlannedStep(StepKey(name))
    if protocol.learned:
        yield PlannedStep(StepKey("training_novelty"))
    for name in ("screen", "stability", "embed", "sample"):
        yield PlannedStep(StepKey(name))


def _generated(protocol: Protocol) -> Iterator[PlannedStep]:
    yield PlannedStep(StepKey("generate"))
    if protocol.learned:
        if protocol.generate.with_training:
            yield PlannedStep(StepKey("training_crystals"))
        if protocol.generate.report_count:
            yield PlannedStep(StepKey("generation_report"))
    if protocol.generate.thin:
        yield PlannedStep(StepKey("thin"))


def _learning(
    reports: Mapping[StepKey, Report], protocol: Protocol, sweep: int, candidates: tuple[int, ...]
) -> Iterator[PlannedStep]:
    """Query by committee for one sweep's candidates. Later sweeps begin with the committee that the last one left."""
    most = protocol.committee.max_iterations
    if sweep == 0:
        yield PlannedStep(StepKey("start_set"))
    for iteration in range(most + 1):
        if sweep == 0 or iteration:
            yield PlannedStep(StepKey("train_committee", sweep, iteration))
        yield PlannedStep(StepKey("uncertainty", sweep, iteration), candidates)
        found = reports.get(StepKey("uncertainty", sweep, iteration))
        if not isinstance(found, UncertaintyReport):
            return
        if found.worst is None or iteration == most:
            break
        yield PlannedStep(StepKey("dft_labels", sweep, iteration), (found.worst,))
        if StepKey("dft_labels", sweep, iteration) not in reports:
            return
    if sweep == 0 or iteration:
        yield PlannedStep(StepKey("final_fit", sweep))


def _sweeps(
    reports: Mapping[StepKey, Report], protocol: Protocol, candidates: tuple[int, ...]
) -> Iterator[PlannedStep]:
    for sweep in range(protocol.neighbours.sweeps + 1):
        if protocol.committee.size:
            learning = list(_learning(reports, protocol, sweep, candidates))
            yield from learning
            if any(step.key not in reports for step in learning):
                return
        yield from _kappa(sweep, candidates)
        done = reports.get(StepKey("conductivity", sweep))
        if not isinstance(done, ConductivityReport):
            return
        yield from _spread(protocol, sweep, candidates, done)
        if sweep == protocol.neighbours.sweeps:
            return
        yield PlannedStep(StepKey("neighbours", sweep + 1), done.ultrahigh)
        found = reports.get(StepKey("neighbours", sweep + 1))
        if not isinstance(found, SelectionReport) or not found.candidates:
            return
        candidates = found.candidates


def _kappa(sweep: int, candidates: tuple[int, ...]) -> Iterator[PlannedStep]:
    yield PlannedStep(StepKey("kappa_plan", sweep), candidates)
    yield PlannedStep(StepKey("conductivity", sweep), candidates)


def _spread(
    protocol: Protocol, sweep: int, candidates: tuple[int, ...], done: ConductivityReport
) -> Iterator[PlannedStep]:
    committee = protocol.committee
    if committee.size and committee.spread != "none":
        asked = done.ultrahigh if committee.spread == "ultrahigh" else candidates
        yield PlannedStep(StepKey("kappa_spread", sweep), asked)
