"""What a campaign's committees did, iteration by iteration. Frozen values, units in each docstring.

`unit`: what an uncertainty is in by the protocol's criterion, 'meV/atom' of energies or 'eV/Å' of forces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Named:
    """A candidate as a line of text names it."""

    id: int
    index: int
    name: str


@dataclass(frozen=True)
class UncertaintyFacts:
    """How far the newest committee that saw a candidate disagrees about it: energy_std meV/atom, force_spread eV/Å.

    `threshold` in `unit`; `above` it by the criterion; `labelled_in`: sweep and iteration that asked labels of it."""

    energy_std: float
    force_spread: float
    members: int
    sweep: int
    iteration: int
    criterion: str
    threshold: float
    unit: str
    above: bool
    labelled_in: tuple[int, int] | None = None


@dataclass(frozen=True)
class MemberFacts:
    """One member; `model_id` None: left out, `note` says why. `held_out`: distinct crystals that it never saw;
    `warm`: it started from its own weights of the iteration before."""

    index: int
    model_id: int | None
    model_name: str
    seed: int
    held_out: int
    warm: bool
    note: str


@dataclass(frozen=True)
class CalibrationFacts:
    """Errors on the fixed test set: energies meV/atom, forces meV/Å; of the members' mean and of each member.

    rank_*: Spearman's ρ of spread and error; ratio_energy: rms error over rms spread, 1 where the spread is honest."""

    frames: int
    energy_mae: float | None
    force_rmse: float | None
    rank_energy: float | None
    rank_force: float | None
    ratio_energy: float | None
    member_energy_mae: tuple[float, ...]
    member_force_rmse: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Reliability:
    """By configuration of the test set (f,): spread and true error, energies meV/atom, forces eV/Å; its group."""

    spread_energy: tuple[float, ...]
    error_energy: tuple[float, ...]
    spread_force: tuple[float, ...]
    error_force: tuple[float, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """One candidate's uncertainty in one iteration: energy_std meV/atom, force_spread eV/Å."""

    candidate_id: int
    energy_std: float
    force_spread: float


@dataclass(frozen=True)
class LabelRequest:
    """What an iteration asked of DFT. `states`: state of decision → calculations; before, after: the candidate's
    uncertainty in `unit`, after None while the next iteration is not there; lengths and amplitude Å."""

    request_id: int
    candidate: Named
    calculations: int
    states: Mapping[str, int]
    repeats: tuple[int, ...]
    lengths: tuple[float, ...]
    amplitude: float
    before: float | None
    after: float | None


@dataclass(frozen=True, eq=False)
class Iteration:
    """One iteration. `borrowed`: sweep and iteration whose members it uses, where it trained none; `labels`: how many
    configurations iterations had added; highest, median, threshold in `unit`; `above`: candidates over the threshold;
    seconds s of the batched evaluation; `stopped`: why the loop ended here."""

    committee_id: int
    sweep: int
    iteration: int
    borrowed: tuple[int, int] | None
    members: tuple[MemberFacts, ...]
    labels: int
    candidates: int
    highest: float | None
    median: float | None
    above: int
    threshold: float
    request: LabelRequest | None
    calibration: CalibrationFacts | None
    stopped: str
    seconds: float | None
    notes: tuple[str, ...]
    points: tuple[Point, ...]
    created_at: datetime

    @property
    def trained(self) -> int:
        """Members that evaluate."""
        return sum(member.model_id is not None for member in self.members)

    @property
    def left_out(self) -> tuple[MemberFacts, ...]:
        """Members that failed for good."""
        return tuple(member for member in self.members if member.model_id is None)


@dataclass(frozen=True)
class StillAbove:
    """A candidate that a sweep's newest committee leaves above the threshold, in `unit`, and why."""

    sweep: int
    candidate: Named
    uncertainty: float | None
    why: str


@dataclass(frozen=True)
class LabelSetFacts:
    """A set of labelled configurations; `methods`: digest of the method → configurations."""

    kind: str
    title: str
    file_name: str
    frames: int
    groups: int
    methods: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FinalFitFacts:
    """The potential that a sweep's κ_L is computed with, and how many labels iterations had added to its training."""

    sweep: int
    model_id: int
    model_name: str
    labels: int


@dataclass(frozen=True, eq=False)
class CommitteeHistory:
    """All of it; iterations in order. `reliability` of the newest committee that was measured; `names`: candidate →
    how it is called; `request_open`: labels that somebody or something is still busy with."""

    criterion: str
    unit: str
    threshold: float
    size: int
    iterations: tuple[Iteration, ...]
    still_above: tuple[StillAbove, ...]
    label_sets: tuple[LabelSetFacts, ...]
    final_fits: tuple[FinalFitFacts, ...]
    reliability: Reliability | None
    names: Mapping[int, Named]

    @property
    def newest(self) -> Iteration | None:
        """The last iteration."""
        return self.iterations[-1] if self.iterations else None

    @property
    def request_open(self) -> LabelRequest | None:
        """The newest request, where calculations still wait for a decision or are being computed."""
        request = self.newest.request if self.newest else None
        busy = request and any(request.states.get(state) for state in ("PROPOSED", "APPROVED"))
        return request if busy else None
