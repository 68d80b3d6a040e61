"""Not more often than that: what several messages ask for is done once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Pace:
    """Remembers in this process when something was last done."""

    clock: Callable[[], float] = time.monotonic
    last: float = -math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, every_s: float, *, now: bool = False) -> bool:
        """Whether `every_s` seconds went by, or `now` was said; if so they begin anew."""
        with self.lock:
            due = now or self.clock() - self.last >= every_s
            if due:
                self.last = self.clock()
            return due
