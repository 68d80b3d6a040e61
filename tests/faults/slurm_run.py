"""`python -m tests.faults.slurm_run --jobs 12 --kills 4`: jobs on Slurm through a real stack whose worker is killed.

Runs under tests.faults.settings with a KAPPAWEB_HOME, KAPPAWEB_SLURM and SLURM_CONF of its own; prints one JSON object
of counts as its last line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time

from django.conf import settings

from apps.jobs.bindings import HPC
from kappaweb.embedded.supervision import Supervisor
from tests.faults import fault_run
from tests.faults.echoes.binding import spec
from tests.faults.faults import Saboteur

PROGRAMS = ("postgres", "worker-hpc", "reconcile")


def kill_worker() -> bool:
    """kill -9 of the worker that speaks to Slurm; whether it ran."""
    state = Supervisor(settings.PLACES).states()["worker-hpc"]
    if state.state != "RUNNING":
        return False
    os.kill(state.pid, signal.SIGKILL)
    return True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--kills", type=int, default=4)
    chosen = parser.parse_args()
    with fault_run.real_stack(PROGRAMS) as places:
        found = [spec(str(number), seconds=0.5, queue=HPC) for number in range(chosen.jobs)]
        chance, begin = random.Random(1), time.monotonic()
        fault_run.enqueue(found)
        kills = 0
        while fault_run.left() and time.monotonic() < begin + 300:
            time.sleep(chance.uniform(1.0, 3.0))
            kills += kills < chosen.kills and kill_worker()
        saboteur = Saboteur(places, chance, {"worker killed": kills})
        print(json.dumps(fault_run.counts(found, saboteur, time.monotonic() - begin)))


if __name__ == "__main__":
    sys.exit(main())
