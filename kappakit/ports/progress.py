"""What a long work tells as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Progress = Callable[[int, int, str], None]
"""progress(done, total, note): done and total in the stage's own units (crystals, epochs, supercells)."""


@dataclass
class SilentProgress:
    """A Progress that remembers its last call, for tests and notebooks."""

    calls: list[tuple[int, int, str]] = field(default_factory=list)

    def __call__(self, done: int, total: int, note: str) -> None:
        self.calls.append((done, total, note))


class PrintedProgress(SilentProgress):
    """Prints a line every ten seconds at most."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0

    def __call__(self, done: int, total: int, note: str) -> None:
        if time.monotonic() - self._last > 10.0 or done == total:
            self._last = time.monotonic()
            print(f"{done}/{total} {note}", flush=True)
