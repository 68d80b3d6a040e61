"""`python -m tests.faults.fault_run --jobs 300 --faults 30`: real jobs on a real stack that is being damaged.

Runs under tests.faults.settings with a KAPPAWEB_HOME of its own; prints one JSON object of counts as its last line.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import django
from django.db import InterfaceError, OperationalError, connection

django.setup()

from django.conf import settings  # noqa: E402
from django.db.models import Count  # noqa: E402

from apps.jobs import services as jobs  # noqa: E402
from apps.jobs.bindings import HEAVY, LIGHT, JobSpec  # noqa: E402
from apps.jobs.models import OPEN, SPLIT, Attempt, Job  # noqa: E402
from kappaweb.embedded import postgres, stack  # noqa: E402
from kappaweb.embedded.places import Places  # noqa: E402
from tests.faults.echoes.binding import spec  # noqa: E402
from tests.faults.echoes.models import Echo  # noqa: E402
from tests.faults.faults import Saboteur  # noqa: E402

T = TypeVar("T")
PROGRAMS = ("postgres", "worker-light", "worker-heavy", "reconcile")
POISON_EVERY = 30


def patiently(ask: Callable[[], T]) -> T:
    """The database is one of the things that break."""
    for _ in range(240):
        try:
            return ask()
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(0.25)
    raise TimeoutError("the database did not come back")


def specs(count: int, seconds: float) -> list[JobSpec]:
    """`count` jobs of one to three words on two queues; now and then a word that kills its process."""
    return [_spec(number, seconds) for number in range(count)]


def _spec(number: int, seconds: float) -> JobSpec:
    words = [f"{number}-{k}" for k in range(1 + number % 3)]
    misdeeds = {words[-1]: "segfault"} if number % POISON_EVERY == 3 else {}
    queue = HEAVY if number % 3 == 0 else LIGHT
    return spec(*words, seconds=seconds, queue=queue, misdeeds=misdeeds)


def enqueue(found: list[JobSpec]) -> None:
    for start in range(0, len(found), 10):
        patiently(lambda start=start: jobs.enqueue(found[start : start + 10], group="faults"))


def left() -> int:
    return patiently(lambda: Job.objects.filter(state__in=OPEN).count())


def damage(saboteur: Saboteur, faults: int, jobs_count: int) -> None:
    """Spread the faults over the run: the next one when its share of the jobs is over."""
    kinds = itertools.cycle(saboteur.kinds())
    for number in range(faults):
        kind = next(kinds)
        until(lambda number=number: left() <= jobs_count * (1 - (number + 0.5) / (faults + 1)), seconds=300)
        while not patiently(lambda kind=kind: saboteur.strike(kind)) and left():
            time.sleep(0.1)
        print(f"fault {number + 1}: {kind}; {left()} jobs to go", flush=True)


def until(condition: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{left()} jobs are left")
        time.sleep(0.2)


def counts(found: list[JobSpec], saboteur: Saboteur, seconds: float) -> dict[str, object]:
    words = [word for each in found for word in each.units]
    poison = {word for each in found for word in each.params["misdeeds"]}
    rows = dict(Echo.objects.values_list("word").annotate(Count("id")))
    failed = set(Echo.objects.filter(failed=True).values_list("word", flat=True))
    return {
        "jobs": len(found),
        "words": len(words),
        "poisonous_words": len(poison),
        "poisonous_words_blamed": len(failed & poison),
        "words_lost": len([word for word in words if word not in rows]),
        "words_doubled": len([word for word, count in rows.items() if count != 1]),
        "innocent_words_failed": sorted(failed - poison),
        "states": dict(Counter(Job.objects.exclude(error_code=SPLIT).values_list("state", flat=True))),
        "split_jobs": Job.objects.filter(error_code=SPLIT).count(),
        "attempts": dict(Counter(Attempt.objects.values_list("outcome", flat=True))),
        "attempts_done_twice": _doubled(),
        "faults": saboteur.done,
        "seconds": round(seconds, 1),
    }


def _doubled() -> int:
    done = Attempt.objects.filter(outcome="done").values("job").annotate(times=Count("id"))
    return done.filter(times__gt=1).count()


@contextmanager
def real_stack(programs: Sequence[str]) -> Iterator[Places]:
    """These programs of a stack with a database of its own, which is gone afterwards."""
    places = settings.PLACES
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stack.start(places, only=["postgres"])
    try:
        stack.migrate(places)
        stack.start(places, only=programs)
        yield places
    finally:
        connection.close()
        stack.stop(places)
        postgres.remove(places)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with real_stack(PROGRAMS) as places:
        found = specs(chosen.jobs, chosen.seconds)
        saboteur = Saboteur(places, random.Random(chosen.seed))
        begin = time.monotonic()
        enqueue(found)
        damage(saboteur, chosen.faults, chosen.jobs)
        until(lambda: not left(), seconds=600)
        seconds = time.monotonic() - begin
        for thaw in saboteur.thaws:
            thaw.join()
        time.sleep(2 * settings.HEARTBEAT_SECONDS)
        print(json.dumps(patiently(lambda: counts(found, saboteur, seconds))))


if __name__ == "__main__":
    sys.exit(main())
