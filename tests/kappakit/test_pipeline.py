"""The itinerary: what a campaign does next follows from its reports and its protocol."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kappakit.pipeline import (
    REPORTS,
    TITLES,
    ConductivityReport,
    CountReport,
    EmbedReport,
    KappaPlanReport,
    PlannedStep,
    Report,
    SelectionReport,
    StepKey,
    UncertaintyReport,
    next_step,
    report_as_dict,
    report_from_dict,
)
from kappakit.protocol import CommitteeSettings, GenerateSettings, NeighbourSettings, Protocol

POOL = ("import_structures", "generate", "relax", "deduplicate", "novelty", "screen", "stability", "embed", "sample")


def answer(key: StepKey, found: tuple[int, ...] = (7, 8)) -> Report:
    kind = REPORTS[key.name]
    if kind is SelectionReport:
        return SelectionReport(1, (1, 2) if key.name == "sample" else found)
    if kind is ConductivityReport:
        return ConductivityReport(2, (2,))
    if kind is KappaPlanReport:
        return KappaPlanReport((1, 2))
    if kind is EmbedReport:
        return EmbedReport(1, 10)
    if kind is UncertaintyReport:
        return UncertaintyReport(None)
    return CountReport(10)


def walk(protocol: Protocol, **kwargs: tuple[int, ...]) -> list[str]:
    reports: dict[StepKey, Report] = {}
    while (step := next_step(reports, protocol)) is not None:
        reports[step.key] = answer(step.key, **kwargs)
    return [str(key) for key in reports]


def test_a_campaign_from_both_sources_takes_every_step_of_figure_one() -> None:
    assert walk(Protocol(source="both")) == [
        *(f"{name}/0/0" for name in POOL),
        "kappa_plan/0/0",
        "conductivity/0/0",
        "neighbours/1/0",
        "kappa_plan/1/0",
        "conductivity/1/0",
    ]


@pytest.mark.parametrize(("source", "absent"), [("import", "generate"), ("generate", "import_structures")])
def test_a_source_that_is_not_asked_for_is_left_out(source: str, absent: str) -> None:
    steps = walk(Protocol(source=source))
    assert not any(step.startswith(absent) for step in steps)
    assert steps[0] == ("generate/0/0" if source == "generate" else "import_structures/0/0")


def test_a_trained_generator_is_measured_thinned_and_compared_with_what_it_learned_from() -> None:
    chosen = GenerateSettings(generator="cdvae", with_training=True, thin=0.1)
    names = [step.split("/")[0] for step in walk(Protocol(source="generate", generate=chosen))]
    assert names[:5] == ["generate", "training_crystals", "generation_report", "thin", "relax"]
    assert names[names.index("novelty") + 1] == "training_novelty"


def test_the_random_search_has_nothing_to_be_compared_with() -> None:
    chosen = GenerateSettings(with_training=True, thin=0.1)
    names = {step.split("/")[0] for step in walk(Protocol(source="both", generate=chosen))}
    assert "thin" in names
    assert names.isdisjoint({"training_crystals", "generation_report", "training_novelty"})


def test_a_generator_that_nothing_is_asked_of_takes_no_part_in_an_import() -> None:
    chosen = GenerateSettings(generator="cdvae", with_training=True, thin=0.1)
    assert walk(Protocol(generate=chosen)) == walk(Protocol())


def test_neighbours_that_find_nothing_end_the_campaign() -> None:
    assert walk(Protocol(), found=())[-1] == "neighbours/1/0"


def test_no_sweep_means_no_neighbours() -> None:
    assert walk(Protocol(neighbours=NeighbourSettings(sweeps=0)))[-1] == "conductivity/0/0"


def test_neighbours_are_searched_around_the_ultrahigh_ones() -> None:
    reports: dict[StepKey, Report] = {}
    while (step := next_step(reports, Protocol())) is not None and step.key.name != "neighbours":
        reports[step.key] = answer(step.key)
    assert step is not None
    assert step.candidates == (2,)


def learn(worst: dict[str, int], *, sweeps: int = 0, **committee: Any) -> dict[StepKey, PlannedStep]:
    """The steps in order; `worst`: 'uncertainty/0/1' → candidate that it wants labelled, for the others nobody."""
    protocol = replace(
        Protocol(), committee=CommitteeSettings(size=8, **committee), neighbours=NeighbourSettings(sweeps=sweeps)
    )
    reports: dict[StepKey, Report] = {}
    taken: dict[StepKey, PlannedStep] = {}
    while (step := next_step(reports, protocol)) is not None:
        taken[step.key] = step
        asked = worst.get(str(step.key))
        reports[step.key] = UncertaintyReport(asked) if asked else answer(step.key)
    return taken


def names(steps: Mapping[StepKey, PlannedStep]) -> list[str]:
    return [str(key) for key in steps if key.name not in POOL]


def test_a_committee_learns_until_no_candidate_is_uncertain() -> None:
    steps = learn({"uncertainty/0/0": 1, "uncertainty/0/1": 2})
    assert names(steps) == [
        "start_set/0/0",
        "train_committee/0/0",
        "uncertainty/0/0",
        "dft_labels/0/0",
        "train_committee/0/1",
        "uncertainty/0/1",
        "dft_labels/0/1",
        "train_committee/0/2",
        "uncertainty/0/2",
        "final_fit/0/0",
        "kappa_plan/0/0",
        "conductivity/0/0",
        "kappa_spread/0/0",
    ]
    assert steps[StepKey("uncertainty", 0, 1)].candidates == (1, 2)
    assert steps[StepKey("dft_labels", 0, 1)].candidates == (2,)


def test_a_committee_that_is_certain_at_once_asks_for_no_label() -> None:
    assert names(learn({}))[:4] == ["start_set/0/0", "train_committee/0/0", "uncertainty/0/0", "final_fit/0/0"]


def test_a_later_sweep_begins_with_the_committee_that_the_last_one_left() -> None:
    steps = names(learn({"uncertainty/1/0": 7}, sweeps=1))
    later = [step for step in steps if "/1/" in step]
    assert later == [
        "neighbours/1/0",
        "uncertainty/1/0",
        "dft_labels/1/0",
        "train_committee/1/1",
        "uncertainty/1/1",
        "final_fit/1/0",
        "kappa_plan/1/0",
        "conductivity/1/0",
        "kappa_spread/1/0",
    ]


def test_a_later_sweep_of_certain_candidates_trains_nobody_and_keeps_the_fit() -> None:
    later = [step for step in names(learn({}, sweeps=1)) if "/1/" in step]
    assert later == ["neighbours/1/0", "uncertainty/1/0", "kappa_plan/1/0", "conductivity/1/0", "kappa_spread/1/0"]


def test_the_loop_ends_after_the_iterations_that_the_protocol_allows() -> None:
    always = {f"uncertainty/0/{iteration}": 1 for iteration in range(9)}
    steps = names(learn(always, max_iterations=2))
    assert [step for step in steps if step.startswith("dft_labels")] == ["dft_labels/0/0", "dft_labels/0/1"]
    assert [step for step in steps if step.startswith("train")][-1] == "train_committee/0/2"
    assert steps[steps.index("uncertainty/0/2") + 1] == "final_fit/0/0"


def test_without_an_iteration_the_first_committee_is_asked_once() -> None:
    steps = names(learn({"uncertainty/0/0": 1}, max_iterations=0))
    assert steps[:4] == ["start_set/0/0", "train_committee/0/0", "uncertainty/0/0", "final_fit/0/0"]


@pytest.mark.parametrize(("spread", "expected"), [("ultrahigh", (2,)), ("all", (1, 2)), ("none", None)])
def test_every_member_computes_the_conductivity_of_whom_the_protocol_says(
    spread: str, expected: tuple[int, ...] | None
) -> None:
    step = learn({}, spread=spread).get(StepKey("kappa_spread"))
    assert (step.candidates if step else None) == expected


def test_a_resumed_campaign_asks_for_the_first_step_without_a_report() -> None:
    reports: dict[StepKey, Report] = {StepKey("import_structures"): CountReport(3)}
    step = next_step(reports, Protocol())
    assert step is not None
    assert step.key == StepKey("relax")


def test_every_report_survives_its_row() -> None:
    for name in REPORTS:
        report = answer(StepKey(name))
        assert report_from_dict(name, report_as_dict(report)) == report


def test_every_step_has_a_title() -> None:
    assert TITLES.keys() == REPORTS.keys()
