"""What can go wrong with a stack that runs, done on purpose."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from apps.jobs.bindings import HEAVY, LIGHT
from apps.jobs.dispatch import wake
from apps.jobs.models import Attempt, Job, State
from kappaweb.embedded.places import Places
from kappaweb.embedded.supervision import Supervisor

WORKERS = ("worker-light", "worker-heavy")


@dataclass
class Saboteur:
    """Does one kind of damage after another; `done` counts what really hit something."""

    places: Places
    chance: random.Random
    done: dict[str, int] = field(default_factory=dict)
    thaws: list[threading.Thread] = field(default_factory=list)

    def kinds(self) -> dict[str, Callable[[], bool]]:
        return {
            "worker killed": self.kill_worker,
            "stage killed": self.kill_stage,
            "worker frozen past its lease": self.freeze_worker,
            "wake-ups doubled": self.double_wakes,
            "wake-ups lost": self.lose_wakes,
            "database crashed": self.crash_database,
        }

    def strike(self, kind: str) -> bool:
        """Whether there was something to hit."""
        hit = self.kinds()[kind]()
        self.done[kind] = self.done.get(kind, 0) + hit
        return hit

    def kill_worker(self) -> bool:
        return self._signal(self.chance.choice(WORKERS), signal.SIGKILL)

    def kill_stage(self) -> bool:
        running = Attempt.objects.filter(ended_at=None, pid__isnull=False, job__state=State.RUNNING)
        attempt = running.order_by("?").first()
        if attempt is None:
            return False
        try:
            os.killpg(attempt.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def freeze_worker(self) -> bool:
        """Only one that holds a lease: it must lose it meanwhile."""
        queue = self.chance.choice((LIGHT, HEAVY))
        state = Supervisor(self.places).states()[f"worker-{queue}"]
        if state.state != "RUNNING" or not Job.objects.filter(queue=queue, state=State.RUNNING).exists():
            return False
        os.kill(state.pid, signal.SIGSTOP)
        thaw = threading.Thread(target=self._thaw, args=(state.pid,))
        thaw.start()
        self.thaws.append(thaw)
        return True

    def double_wakes(self) -> bool:
        for queue in (LIGHT, HEAVY):
            wake(queue, times=10)
        return True

    def lose_wakes(self) -> bool:
        for message in (self.places.broker / "messages").iterdir():
            message.unlink(missing_ok=True)
        return True

    def crash_database(self) -> bool:
        """SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, recovery at the start."""
        return self._signal("postgres", signal.SIGQUIT)

    def _thaw(self, pid: int) -> None:
        time.sleep(settings.LEASE_SECONDS + 3 * settings.RECONCILE_SECONDS)
        os.kill(pid, signal.SIGCONT)

    def _signal(self, program: str, number: signal.Signals) -> bool:
        state = Supervisor(self.places).states()[program]
        if state.state != "RUNNING":
            return False
        os.kill(state.pid, number)
        return True
