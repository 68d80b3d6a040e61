"""How a stage of kappakit meets the database: who plans its jobs, loads its inputs and saves its outputs.

Each domain app's `stages.py` holds Bindings; `apps/worker/registry.py` lists them all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kappakit.stages.table import STAGES

HEAVY, LIGHT, GPU, SINGLE, HPC = "heavy", "light", "gpu", "single", "hpc"
QUEUES = (HEAVY, LIGHT, GPU, SINGLE, HPC)


@dataclass(frozen=True)
class JobSpec:
    """One job to queue: a batch of `units` (the callers' ids, what a split divides) with JSON `params`."""

    kind: str
    """Name of the Binding."""
    units: tuple[str, ...]
    params: Mapping[str, Any]
    label: str
    queue: str = HEAVY
    priority: int = 0
    time_limit_s: int = 3600

    @property
    def key(self) -> str:
        """sha256 of the stage's declared version, units and parameters: the same work has the same key."""
        return unit_key(self.kind, self.units, self.params)


def unit_key(kind: str, units: Sequence[str], params: Mapping[str, Any]) -> str:
    """The key of a job: sha256 of what it computes."""
    content = {"kind": kind, "version": STAGES[kind].version, "units": list(units), "params": dict(params)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Loaded:
    """What the stage process gets: `inputs` is the stage's Inputs, `settings` its settings as plain JSON.

    `files`: name in the stage's folder → content-addressed path that the runner links there.
    """

    inputs: Any
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """`name` is both the stage's name in kappakit.stages.table and the job's kind.

    plan(step_id) → jobs of a campaign's step (raises ApplicationError when it cannot start); None for stages that no
    campaign runs. load(job) → Loaded, in a short transaction. files(outputs) → kind → path relative to the stage's
    folder, stored content-addressed before save; artifacts maps the same kinds to Artifact ids.
    save(job, outputs, artifacts) → ids of the candidates whose summaries changed, inside the completing transaction.
    failed(job, message) → the same, when the job failed for good.
    report(step_id) → the step's Report as plain JSON (see kappakit.pipeline), once no unit of it is open.
    holds(step_id) → why the step is not over though its jobs are, in one sentence, '' when nothing holds it.
    """

    name: str
    load: Callable[[Any], Loaded]
    save: Callable[[Any, Any, Mapping[str, int]], set[int]]
    plan: Callable[[int], Sequence[JobSpec]] | None = None
    report: Callable[[int], dict[str, Any]] | None = None
    holds: Callable[[int], str] = lambda step_id: ""
    files: Callable[[Any], Mapping[str, str]] = lambda outputs: {}
    failed: Callable[[Any, str], set[int]] = lambda job, message: set()
