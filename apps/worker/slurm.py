"""Slurm: its commands (plain sbatch, squeue, sacct, scancel) and what their output says; nothing is remembered here."""

from __future__ import annotations

import math
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUCCESS = "COMPLETED"
OVER = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
    "TIMEOUT",
})  # fmt: skip
"""Slurm's states that nothing follows; a job in any other one may still run."""

LISTED = "%i|%T|%r|%M|%l|%C|%m|%N|%j"
ACCOUNTED = "JobIDRaw,State,ElapsedRaw,MaxRSS,NodeList,AllocCPUS"

REFUSALS = (
    "invalid partition", "invalid account", "invalid qos", "node configuration is not available",
    "can not be satisfied", "unrecognized option", "invalid option", "time limit is invalid", "invalid time limit",
    "more processors requested than permitted", "cpu count specification invalid", "invalid generic resource",
    "access/permission denied", "invalid node name", "invalid feature",
)  # fmt: skip
"""What sbatch says of a request that no waiting makes possible, in lower case."""


class SchedulerAway(Exception):
    """Slurm does not answer, or takes nothing now: ask again later."""


class SchedulerRefused(Exception):
    """Slurm will never take this: who asked, or who set the options, must change something."""


@dataclass(frozen=True)
class Asked:
    """What a job asks of the cluster: whole cores, seconds, and MiB (None: the cluster's default)."""

    cores: int
    time_s: int
    memory_mib: int | None = None

    def as_dict(self) -> dict[str, int | None]:
        return {"cores": self.cores, "time_s": self.time_s, "memory_mib": self.memory_mib}


@dataclass(frozen=True)
class SlurmJob:
    """One job as Slurm lists it."""

    id: str
    state: str
    reason: str
    elapsed_s: int
    node: str
    name: str

    @property
    def is_over(self) -> bool:
        return self.state in OVER


@dataclass(frozen=True)
class Account:
    """What Slurm's accounting remembers of a job; `memory_mib` is the largest of its steps, 0 where unknown."""

    state: str
    elapsed_s: int
    memory_mib: float
    node: str


@dataclass(frozen=True)
class Slurm:
    """`options`: more words for sbatch. `via`: words before each command, e.g. ("ssh", "login1")."""

    options: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    timeout_s: float = 30.0
    environment: Mapping[str, str] | None = None
    """Of the commands, hence of the jobs; None: this process's."""

    def submit(self, name: str, script: str, asked: Asked, log: Path) -> str:
        """Queue the script as `name`; Slurm's number. Raises SchedulerAway (it may be queued), SchedulerRefused."""
        command = [*submission(name, asked, log), *self.options]
        try:
            return self._ask(command, script).strip().partition(";")[0]
        except SchedulerAway as away:
            if any(words in str(away).lower() for words in REFUSALS):
                raise SchedulerRefused(str(away)) from away
            raise

    def listed(self, names: Iterable[str] = ()) -> dict[str, SlurmJob]:
        """name → job: ours that Slurm has in mind, finished ones for some minutes. Raises SchedulerAway."""
        only = [f"--name={','.join(names)}"] if names else []
        command = ["squeue", "--me", "--states=all", "--noheader", f"--format={LISTED}", *only]
        return {job.name: job for job in parse_listed(self._ask(command))}

    def accounts(self, ids: Sequence[str]) -> dict[str, Account]:
        """id → account; empty where the cluster keeps none."""
        if not ids:
            return {}
        command = ["sacct", "--noheader", "--parsable2", f"--format={ACCOUNTED}", f"--jobs={','.join(ids)}"]
        try:
            return parse_accounts(self._ask(command))
        except SchedulerAway:
            return {}

    def end(self, ids: Sequence[str]) -> None:
        """Ask Slurm to end these jobs; one that is over is passed over. Raises SchedulerAway."""
        if ids:
            self._ask(["scancel", *ids])

    def _ask(self, command: Sequence[str], typed: str = "") -> str:
        words = [*self.via, shlex.join(command)] if self.via else list(command)
        try:
            done = subprocess.run(
                words, input=typed, capture_output=True, text=True, timeout=self.timeout_s,
                env=self.environment, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise SchedulerAway(f"{command[0]} did not answer within {self.timeout_s:g} s.") from error
        except OSError as error:
            raise SchedulerAway(f"{words[0]} cannot be started: {error.strerror}.") from error
        if done.returncode:
            raise SchedulerAway(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
        return done.stdout


def submission(name: str, asked: Asked, log: Path) -> list[str]:
    """sbatch's words. As many tasks as cores, so that an MPI program may start one on each; never queued again by Slurm
    itself, because an attempt of ours must be one run."""
    memory = [] if asked.memory_mib is None else [f"--mem={asked.memory_mib}M"]
    return [
        "sbatch", "--parsable", f"--job-name={name}", "--no-requeue", "--nodes=1", f"--ntasks={asked.cores}",
        f"--time={max(1, math.ceil(asked.time_s / 60))}", *memory, f"--output={log}", "--open-mode=truncate",
        f"--chdir={log.parent}",
    ]  # fmt: skip


def batch_script(python: str, measure: Path, project: Path, module: str, folder: Path) -> str:
    """The stage in `folder` by the node's `python`, measured."""
    stage = shlex.join([python, "-m", module, str(folder)])
    measured = shlex.join([python, "-I", "-S", str(measure), str(folder)])
    return f"#!/bin/sh\ncd {shlex.quote(str(project))} || exit 1\nexec {measured} {stage}\n"


def parse_listed(text: str) -> list[SlurmJob]:
    """squeue's lines in the format LISTED."""
    return [_listed(line) for line in text.splitlines() if line.count("|") == LISTED.count("|")]


def _listed(line: str) -> SlurmJob:
    number, state, reason, elapsed, _, _, _, node, name = line.strip().split("|")
    return SlurmJob(number, state, reason, seconds_of(elapsed), node, name)


def parse_accounts(text: str) -> dict[str, Account]:
    """sacct's lines in the format ACCOUNTED: a job's own line, then one for each step of it."""
    found: dict[str, Account] = {}
    for line in text.splitlines():
        number, state, elapsed, memory, node, _ = line.split("|")
        job, _, step = number.partition(".")
        seen = found.get(job)
        if not step:
            found[job] = Account(state.split(" ")[0], int(elapsed or 0), mib_of(memory), node)
        elif seen:
            found[job] = Account(seen.state, seen.elapsed_s, max(seen.memory_mib, mib_of(memory)), seen.node)
    return found


def seconds_of(text: str) -> int:
    """Slurm's 'days-hours:minutes:seconds', from the right as much of it as there is; 0 for a word."""
    days, _, clock = text.rpartition("-")
    try:
        parts = [int(part) for part in clock.split(":")]
        return int(days or 0) * 86400 + sum(part * 60**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        return 0


UNITS = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def mib_of(text: str) -> float:
    """Slurm's amount of memory ('1536K', '2.5G') in MiB; 0 for an empty one."""
    if not text:
        return 0.0
    return float(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else float(text) / 1024**2
