"""A convergence study in a terminal: pure functions from facts to a table, and one loop that shows it."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.table import Table

from apps.conductivity.selectors.study_facts import StudyFacts, StudyPointFacts

POLL_S = 1.0
RIGHT = 6
"""So many columns hold numbers."""


def follow_study(look: Callable[[], StudyFacts], console: Console) -> StudyFacts:
    """Show the study until it is over: redrawn in place on a terminal, a line for each point elsewhere."""
    return _follow_live(look, console) if console.is_terminal else _follow_plain(look, console)


def study_table(study: StudyFacts) -> Table:
    """A row a point; κ_L in W/(m·K)."""
    title = f"Study {study.id}: κ_L (RTA, {study.temperature:g} K) by {study.potential}"
    table = Table(title=title, title_justify="left", caption=study.state_words, caption_justify="left")
    columns = [study.label, "κ1 W/(m·K)", "κ2 W/(m·K)", "κ3 W/(m·K)", "change of κ1 %", "time s", "mesh", ""]
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at < RIGHT else "left")
    for point in study.points:
        table.add_row(*_cells(point), style="bold" if point.present else None)
    return table


def point_line(study: StudyFacts, point: StudyPointFacts) -> str:
    """One point in one line, for a log."""
    principal = " / ".join(f"{value:.4g}" for value in point.principal)
    said = f"κ_L {principal} W/(m·K)" if principal else remark(point)
    return f"{study.title} {point.value:g} {study.unit}: {point.state.lower()} · {said}"


def remark(point: StudyPointFacts) -> str:
    """What is to be said beside the numbers."""
    taken = f"as in study {point.taken_from}" if point.taken_from else ""
    present = "present" if point.present else ""
    words = point.error or point.words or (point.state.lower() if point.state != "DONE" else "")
    return " · ".join(word for word in (present, words.partition("\n")[0], point.note, taken) if word)


def _cells(point: StudyPointFacts) -> tuple[str, ...]:
    principal = [f"{value:.4g}" for value in point.principal] or ["–"] * 3
    change = f"{100 * point.change:.1f}" if point.change is not None else "–"
    seconds = f"{point.seconds:.3g}" if point.seconds is not None else f"about {60 * point.expected_minutes:.2g}"
    return f"{point.value:g}", *principal, change, seconds, "×".join(map(str, point.mesh)), remark(point)


def _follow_live(look: Callable[[], StudyFacts], console: Console) -> StudyFacts:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            study = look()
            live.update(study_table(study), refresh=True)
            if study.state != "RUNNING":
                return study
            time.sleep(POLL_S)


def _follow_plain(look: Callable[[], StudyFacts], console: Console) -> StudyFacts:
    told: set[int] = set()
    while True:
        study = look()
        for point in study.points:
            if point.state != "OPEN" and point.order not in told:
                console.print(point_line(study, point), highlight=False, soft_wrap=True)
                told.add(point.order)
        if study.state != "RUNNING":
            console.print(study_table(study))
            return study
        time.sleep(POLL_S)
