"""What the terminal says of a running campaign."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from apps.campaigns.selectors import JobCounts, StepRow
from apps.reviews.tables import LeftOut, RankedRow, RankedTable
from apps.terminal.demo import EXIT_CANCELLED, EXIT_DONE, EXIT_HALTED, EXIT_NOTHING_RANKED, exit_code
from apps.terminal.progress import Snapshot, bar, clock, follow, line
from apps.terminal.ranking import print_ranked

CONVERGED = "converged: 1.8 % by the mesh's last step (21.4 → 28.5 Å), error about 6.0 %"


def step(**changes: object) -> StepRow:
    facts: dict = {
        "id": 1, "name": "relax", "title": "Relax", "sweep": 0, "iteration": 0, "state": "RUNNING", "note": "",
        "group": "step:1", "expected_units": 10, "units_done": 4.0, "jobs": JobCounts(running=1), "progress": 0.4,
        "started_at": datetime(2026, 1, 1, tzinfo=UTC), "ended_at": None, "elapsed_s": 61.0, "expected_s": 152.0,
        "why_waiting": "", "report": None,
    }  # fmt: skip
    return StepRow(**facts | changes)


def row(**changes: object) -> RankedRow:
    facts: dict = {
        "rank": 1, "candidate_id": 5, "index": 2, "name": "diamond", "formula": "C2", "largest": 2573.4,
        "principal": (2573.4, 2573.4, 2573.4), "uvw": ("any direction",) * 3, "temperature": 300.0, "method": "RTA",
        "mesh": (8, 8, 8), "mesh_rule": "spacing", "mesh_length": 28.5, "change": 0.018,
        "changes": (0.018, 0.018, 0.018), "error": 0.06, "converged": True,
        "potential": "carbon-laptop", "space_group_number": 227, "space_group": "Fd-3m",
        "n_primitive": 2, "dimensionality": 3, "known_as": "diamond", "novelty": "kappa-known", "above_hull": 0.1,
        "label": ("carbon-laptop (9f9f9f9f)", "RTA", CONVERGED), "ultrahigh": True,
    }  # fmt: skip
    return RankedRow(**facts | changes)


def table(**changes: object) -> RankedTable:
    facts: dict = {
        "method": "RTA", "method_title": "relaxation time approximation", "temperature": 300.0, "ultrahigh": 800.0,
        "scattering": "",
        "rows": (row(),), "layered": (), "left_out": LeftOut(imaginary=2), "potentials": ("carbon-laptop",),
        "warnings": (),
    }  # fmt: skip
    return RankedTable(**facts | changes)


def printed(ranked: RankedTable) -> str:
    console = Console(file=StringIO(), width=200)
    print_ranked(ranked, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_line_says_how_far_how_long_and_of_how_much() -> None:
    assert line(step()) == "Relax: running · 40% · 1:01 of about 2:32"


def test_a_step_that_waits_says_why() -> None:
    assert "No worker takes heavy jobs." in line(step(why_waiting="No worker takes heavy jobs.", expected_s=None))


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (59.9, "0:59"), (3723, "1:02:03")])
def test_time_reads_like_a_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words


def test_a_full_bar_has_no_gap() -> None:
    assert "·" not in bar(1.0)


def test_following_ends_with_the_campaign_and_prints_each_change_once() -> None:
    shots = [
        Snapshot("RUNNING", "", (step(),), over=False),
        Snapshot("RUNNING", "", (step(),), over=False),
        Snapshot("DONE", "", (step(state="DONE", progress=1.0),), over=True),
    ]
    looks = iter(shots)
    console = Console(file=StringIO(), force_terminal=False, width=200)
    assert follow(lambda: next(looks), console) is shots[-1]
    assert console.file.getvalue().count("Relax") == 2  # type: ignore[attr-defined]


def test_the_table_names_unit_method_potential_group_and_what_was_left_out() -> None:
    text = printed(table())
    for words in ("κ_L at 300 K by RTA", "W/(m·K)", "2573", "Fd-3m (227)", "carbon-laptop", "Not ranked: 2 imaginary."):
        assert words in text


def test_a_potential_that_failed_its_shipping_rule_is_announced() -> None:
    assert "Careful: imaginary phonons of lonsdaleite" in printed(table(warnings=("imaginary phonons of lonsdaleite",)))


@pytest.mark.parametrize(
    ("state", "ranked", "code"),
    [
        ("DONE", 3, EXIT_DONE),
        ("DONE", 0, EXIT_NOTHING_RANKED),
        ("HALTED", 3, EXIT_HALTED),
        ("CANCELLED", 0, EXIT_CANCELLED),
    ],
)
def test_the_exit_code_says_how_it_ended(state: str, ranked: int, code: int) -> None:
    assert exit_code(Snapshot(state, "", (), over=True), ranked) == code


def test_words_that_all_trust_labels_share_stand_below_the_table_and_the_others_in_their_row() -> None:
    layered = row(rank=2, label=("carbon-laptop (9f9f9f9f)", "RTA", "uncertainty 12 meV/atom (8 members)"))
    told = printed(table(rows=(row(), layered)))
    assert "Trust, of all above: carbon-laptop (9f9f9f9f) · RTA\n" in told
    assert CONVERGED in " ".join(told.split())
    assert "uncertainty 12 meV/atom (8 members)" in " ".join(told.split())


def test_a_line_divides_what_converged_from_what_did_not() -> None:
    rows = (row(), row(rank=2, name="lonsdaleite", converged=False, change=0.12, changes=None, error=0.4))
    text = printed(table(rows=rows))
    assert "1.8 % (±6 %)" in text
    assert "no: 12 % (±40 %)" in text
    lines = text.splitlines()
    first, second = (next(i for i, words in enumerate(lines) if told in words) for told in ("(±6 %)", "(±40 %)"))
    assert any(words.startswith("├") for words in lines[first:second])
    assert "Below the line: the mesh is not converged, or was not tested for convergence." in text
    assert "Below the line" not in printed(table())
    alone = printed(table(rows=(row(converged=None, change=None, changes=None, error=None),)))
    assert "All: the mesh is not converged, or was not tested for convergence." in alone
    assert "not tested" in alone


def test_meshes_of_different_lengths_and_what_looks_too_good_are_told() -> None:
    rows = (row(), row(rank=2, name="lonsdaleite", mesh_length=39.1))
    assert "Meshes of 28.5 to 39.1 Å: " in printed(table(rows=rows))
    assert "Meshes of" not in printed(table())
    alarm = "bct-C4 conducts better than diamond by the same method"
    assert f"Too good to be true? {alarm}" in printed(table(alarms=(alarm,)))
