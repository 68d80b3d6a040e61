"""`kappaweb study`: what it starts, how it follows, how it ends; an interrupt cancels nothing."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from click.testing import CliRunner
from django.core.management import CommandError, call_command
from rich.console import Console

from apps.conductivity.models import KappaStudy
from apps.conductivity.selectors.study_facts import study_facts
from apps.conductivity.services import study_cancel
from apps.terminal import studies
from kappaweb import cli
from tests.apps.rows import a_user
from tests.apps.studying import Bench, a_bench, ends, fails

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench(db: None) -> Bench:
    return a_bench(a_user("scientist"))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[KappaStudy], None]], None]:
    """What happens to the study while its follower sleeps."""

    def set_to(act: Callable[[KappaStudy], None]) -> None:
        monkeypatch.setattr(studies.time, "sleep", lambda seconds: act(KappaStudy.objects.latest("pk")))

    return set_to


def all_done(study: KappaStudy) -> None:
    for at, point in enumerate(study.points.order_by("order")):
        ends(point, 900.0 + 50 * at)


def ran(*arguments: str, **options: str) -> str:
    out = StringIO()
    call_command("study", *arguments, stdout=out, **options)
    return out.getvalue()


def test_a_study_is_started_followed_and_printed_with_units(bench, meanwhile, capsys) -> None:
    meanwhile(all_done)
    ran(str(bench.candidate.pk), "mesh", "10", "12", "15")
    study = KappaStudy.objects.get()
    assert (study.parameter, study.values, study.requested_by) == ("mesh", [10.0, 12.0, 15.0], bench.ada)
    said = capsys.readouterr().out
    assert "Mesh length 10 Å: done · κ_L 900 / 900 / 720 W/(m·K)" in said
    assert "3 of 3 points are done." in said


def test_the_table_names_units_and_what_is_present(bench) -> None:
    study = bench.start()
    all_done(study)
    (facts,) = study_facts([study])
    text = StringIO()
    Console(file=text, width=200).print(studies.study_table(facts))
    lines = text.getvalue().splitlines()
    assert "RTA, 300 K" in lines[0]
    assert all(words in lines[2] for words in ("Mesh length (Å)", "κ1 W/(m·K)", "change of κ1 %", "time s"))
    present = next(line for line in lines if "present" in line)
    assert present.split("│")[1].strip() == "12"
    assert "5.3" in present


def test_without_values_those_about_the_present_one_are_taken_or_what_runs_is_followed(bench, meanwhile) -> None:
    meanwhile(all_done)
    ran(str(bench.candidate.pk), "mesh")
    assert KappaStudy.objects.get().values == [7.2, 9.6, 12.0, 14.4]
    running = bench.start("displacement", (0.01, 0.02))
    ran(str(bench.candidate.pk), "displacement")
    running.refresh_from_db()
    assert running.state == "DONE"
    assert KappaStudy.objects.count() == 2


def test_an_interrupt_cancels_nothing_and_says_where_it_is(bench, meanwhile) -> None:
    def interrupted(study: KappaStudy) -> None:
        raise KeyboardInterrupt

    meanwhile(interrupted)
    said = ran(str(bench.candidate.pk), "mesh", "10", "12")
    study = KappaStudy.objects.get()
    assert study.state == "RUNNING"
    assert f"/studies/{study.pk}/" in said
    assert f"kappaweb study {bench.candidate.pk} mesh" in said


def test_failed_points_and_a_cancelled_study_end_with_an_error(bench, meanwhile) -> None:
    def half(study: KappaStudy) -> None:
        first, second = study.points.order_by("order")
        ends(first)
        fails(second, "out of memory")

    meanwhile(half)
    with pytest.raises(CommandError, match="1 of 2 points are done, 1 failed"):
        ran(str(bench.candidate.pk), "mesh", "10", "12")
    meanwhile(lambda study: study_cancel(study=study, user=bench.ada))
    with pytest.raises(CommandError, match="Cancelled by scientist"):
        ran(str(bench.candidate.pk), "cutoff", "2", "3")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mesh", "0", "12"], "0 lies outside 1 to 200 Å"),
        (["mesh", "12"], "give 2 to 12 values"),
        (["weather", "1", "2"], "invalid choice"),
        (["mesh", "1", "wide"], "invalid float value"),
        (["mesh", "10", "12", "--user", "nobody"], "nobody named"),
    ],
)
def test_what_cannot_be_studied_is_said_in_one_sentence(bench, arguments, says) -> None:
    with pytest.raises(CommandError, match=says):
        ran(str(bench.candidate.pk), *arguments)
    assert not KappaStudy.objects.exists()


def test_a_candidate_that_is_not_there_is_named_so(bench) -> None:
    with pytest.raises(CommandError, match="no such candidate"):
        ran("999999", "mesh", "10", "12")


def test_kappaweb_passes_it_on(monkeypatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(cli.stack, "start", lambda places: None)
    monkeypatch.setattr(cli.stack, "manage_here", lambda places, *arguments: asked.append(arguments) or 0)
    assert CliRunner().invoke(cli.main, ["study", "17", "mesh", "15", "20"]).exit_code == 0
    assert asked == [("study", "17", "mesh", "15", "20")]
