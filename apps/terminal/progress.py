"""Steps of a campaign as lines of a terminal: pure functions from rows to text, and one loop that prints them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table

from apps.campaigns.selectors import StepRow

BAR_WIDTH = 24
POLL_S = 1.0


@dataclass(frozen=True)
class Snapshot:
    """What a campaign shows at one moment. `over`: nothing will change any more by itself."""

    state: str
    reason: str
    steps: tuple[StepRow, ...]
    over: bool


def follow(look: Callable[[], Snapshot], console: Console) -> Snapshot:
    """Print progress until the campaign is over: redrawn in place on a terminal, a line a change elsewhere."""
    return _follow_live(look, console) if console.is_terminal else _follow_plain(look, console)


def clock(seconds: float) -> str:
    """1:02:03 or 2:03."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def bar(progress: float) -> str:
    """A bar of BAR_WIDTH cells."""
    filled = round(progress * BAR_WIDTH)
    return "█" * filled + "·" * (BAR_WIDTH - filled)


def title(step: StepRow) -> str:
    """'Thermal conductivity κ_L, sweep 1'."""
    return f"{step.title}, sweep {step.sweep}" if step.sweep else step.title


def timing(step: StepRow) -> str:
    """Elapsed, and of how much as far as it can be told."""
    expected = f" of about {clock(step.expected_s)}" if step.expected_s else ""
    return f"{clock(step.elapsed_s)}{expected}"


def line(step: StepRow) -> str:
    """One step in one line, for a log."""
    words = [f"{title(step)}: {step.state.lower()}", f"{step.progress:.0%}", timing(step), step.why_waiting, step.note]
    return " · ".join(word for word in words if word)


def steps_table(snapshot: Snapshot) -> Table:
    """All steps, redrawn as they go."""
    table = Table(box=None, pad_edge=False)
    for header in ("step", "progress", "", "min:s", ""):
        table.add_column(header)
    for step in snapshot.steps:
        words = step.why_waiting or step.note
        table.add_row(title(step), bar(step.progress), f"{step.progress:4.0%}", timing(step), words)
    return table


def _follow_live(look: Callable[[], Snapshot], console: Console) -> Snapshot:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            snapshot = look()
            live.update(steps_table(snapshot), refresh=True)
            if snapshot.over:
                return snapshot
            time.sleep(POLL_S)


def _follow_plain(look: Callable[[], Snapshot], console: Console) -> Snapshot:
    shown: dict[int, tuple[str, int, str]] = {}
    while True:
        snapshot = look()
        for step in _changed(snapshot.steps, shown):
            console.print(line(step), highlight=False, soft_wrap=True)
        if snapshot.over:
            return snapshot
        time.sleep(POLL_S)


def _changed(steps: Sequence[StepRow], shown: dict[int, tuple[str, int, str]]) -> list[StepRow]:
    """The steps that moved by a fifth, changed state or wait for something new; `shown` remembers."""
    new = {step.id: (step.state, int(step.progress * 5), step.why_waiting) for step in steps}
    changed = [step for step in steps if shown.get(step.id) != new[step.id]]
    shown.update(new)
    return changed
