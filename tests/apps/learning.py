"""A campaign whose pool is done and whose committee is to learn: the worker's rounds with made-up outputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from apps.accounts.models import User
from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign, CampaignState, Step, StepState
from apps.committees.models import LabelSet
from apps.jobs import services as jobs
from apps.jobs.bindings import Loaded
from apps.jobs.models import Job, Outcome
from apps.jobs.services import Ending
from apps.structures.models import Candidate
from apps.worker.advance import advance, advance_group
from apps.worker.registry import BINDINGS
from kappakit.dft import DftTask, method_digest, method_of
from kappakit.labels import write_frames
from kappakit.ports import DftResult, LabelledCrystal
from kappakit.protocol import PROTOCOLS, CommitteeSettings, DftSettings, NeighbourSettings, Protocol
from kappakit.stages import contracts as c
from kappakit.testing.potentials import FakePotential
from tests.apps.kappa_steps import conductivity_outputs, plan_item
from tests.apps.rows import a_campaign, a_candidate, a_crystal, a_user

POOL = ("import_structures", "relax", "deduplicate", "novelty", "screen", "stability", "embed")
SETTINGS = CommitteeSettings(size=3, start="upload", start_count=0, max_iterations=4, rattles=2, rattle_length=0.0)
DFT = DftSettings(engine="gpaw", k_spacing=0.8, spin=False, cutoff=300.0)
QUEUES = ("light", "heavy", "gpu", "single")
RealStage = Callable[[Job, Loaded], tuple[Any, dict[str, int]]]
"""job, what was loaded → outputs, ids of the stored files by kind."""


def a_protocol(*, dft: DftSettings = DFT, sweeps: int = 0, **committee: Any) -> Protocol:
    return replace(
        PROTOCOLS["smoke"],
        source="import",
        committee=replace(SETTINGS, **committee),
        dft=dft,
        neighbours=NeighbourSettings(sweeps=sweeps),
    )


def labelled(count: int = 8, *, symbol: int = 6) -> list[LabelledCrystal]:
    """Diamond cells, each a group of its own, with the analytic potential's labels."""
    crystals = [replace(a_crystal(1.0 + 0.01 * n), numbers=np.array([symbol, symbol])) for n in range(count)]
    found = FakePotential().evaluate(crystals)
    return [LabelledCrystal(x, e, f"group {n}") for n, (x, e) in enumerate(zip(crystals, found, strict=True))]


def labels_file(folder: Path, frames: list[LabelledCrystal] | None = None) -> Path:
    path = folder / "labels.extxyz"
    write_frames(path, labelled() if frames is None else frames)
    return path


def a_label_set(campaign: Campaign, kind: str, path: Path, **facts: Any) -> LabelSet:
    artifact = artifacts.store(path, kind="labels", name=path.name)
    return LabelSet.objects.create(campaign=campaign, kind=kind, file_name=path.name, artifact=artifact, **facts)


@dataclass
class Learning:
    """`spreads`: candidate's index → energy spread (meV/atom), one dictionary an `uncertainty`; the last one stays."""

    campaign: Campaign
    candidates: list[Candidate]
    spreads: list[dict[int, float]] = field(default_factory=lambda: [{}])
    broken: set[str] = field(default_factory=set)
    """Kinds of job that fail, or 'kind:number' for a committee's member."""
    loaded: dict[str, list[Loaded]] = field(default_factory=dict)
    kappa: float = 1700.0
    real: dict[str, RealStage] = field(default_factory=dict)
    """Kind of job → what runs its stage in earnest; the others are made up."""

    @property
    def owner(self) -> User:
        return self.campaign.owner

    def go(self) -> Campaign:
        """The worker's rounds until nothing is queued."""
        advance(self.campaign.pk, BINDINGS)
        while (claimed := self._claim()) is not None:
            self._run(*claimed)
        self.campaign.refresh_from_db()
        return self.campaign

    def steps(self) -> list[str]:
        rows = Step.objects.filter(campaign=self.campaign).exclude(name__in=(*POOL, "sample")).order_by("id")
        return [f"{s.name}/{s.sweep}/{s.iteration}" for s in rows]

    def step(self, key: str) -> Step:
        name, sweep, iteration = key.split("/")
        return Step.objects.get(campaign=self.campaign, name=name, sweep=sweep, iteration=iteration)

    def _claim(self) -> Any:
        for queue in QUEUES:
            if found := jobs.claim(queue=queue, owner="me", host="here", lease_s=60):
                return found
        return None

    def _run(self, job: Job, lease: jobs.Lease) -> None:
        binding = BINDINGS[job.kind]
        inputs = binding.load(job)
        self.loaded.setdefault(job.kind, []).append(inputs)
        marks = {job.kind, f"{job.kind}:{job.params.get('member')}"}
        if marks & self.broken:
            jobs.fail(lease, Ending(Outcome.INPUT, "it would not"))
            binding.failed(job, "it would not")
        else:
            outputs, files = self._stage(job, inputs)
            binding.save(job, outputs, files)
            jobs.complete(lease, Ending(Outcome.DONE))
        advance_group(job.group, BINDINGS)

    def _stage(self, job: Job, inputs: Loaded) -> tuple[Any, dict[str, int]]:
        if job.kind in self.real:
            return self.real[job.kind](job, inputs)
        outputs = STAGES[job.kind](self, job, inputs)
        return outputs, _stored(BINDINGS[job.kind].files(outputs), job)


def a_learning(folder: Path, *, count: int = 3, protocol: Protocol | None = None, upload: bool = True) -> Learning:
    """A running campaign of `count` candidates, all in its sample, that has labels to begin with."""
    owner = a_user("scientist")
    campaign = a_campaign(owner, protocol=protocol or a_protocol(), seed=5)
    candidates = [a_candidate(campaign, index) for index in range(1, count + 1)]
    if upload:
        a_label_set(campaign, "upload", labels_file(folder))
    _pool_done(campaign, [x.pk for x in candidates])
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING, started_by=owner)
    campaign.refresh_from_db()
    return Learning(campaign, candidates)


def _pool_done(campaign: Campaign, candidates: list[int]) -> None:
    reports = {name: {"kept": 1, "dropped": 0} for name in POOL} | {
        "embed": {"map_id": 1, "points": 3},
        "sample": {"selection_id": 1, "candidates": candidates},
    }
    for name, report in reports.items():
        Step.objects.create(campaign=campaign, name=name, state=StepState.DONE, report=report)


def _stored(files: Any, job: Job) -> dict[str, int]:
    return {kind: artifacts.store_bytes(f"{kind} of {job.pk}".encode(), kind=kind, name=kind).pk for kind in files}


def _start_set(learning: Learning, job: Job, loaded: Loaded) -> c.StartSetOutputs:
    names = tuple(f"group {n}" for n in range(6))
    methods = {loaded.inputs.method: 8}
    return c.StartSetOutputs("start.extxyz", "test.extxyz", 6, 2, names, ("group 6", "group 7"), methods)


def _trained(learning: Learning, job: Job, loaded: Loaded) -> c.TrainOutputs:
    sha256 = hashlib.sha256(f"{job.pk}".encode()).hexdigest()
    card = {"name": "carbon-tiny", "engine": "allegro", "version": "allegro 1", "species": ["C"], "sha256": sha256}
    return c.TrainOutputs("checkpoint", sha256, json.dumps(card), np.zeros((1, 7)))


def _uncertainty(learning: Learning, job: Job, loaded: Loaded) -> c.UncertaintyOutputs:
    spreads = learning.spreads.pop(0) if len(learning.spreads) > 1 else learning.spreads[0]
    index = {str(x.pk): x.index for x in learning.candidates}
    members = len(loaded.inputs.members)
    items = tuple(
        c.UncertaintyItem(i.id, np.full(members, -7.5), spreads.get(index.get(i.id, 0), 1.0), 0.05)
        for i in loaded.inputs.items
    )
    return c.UncertaintyOutputs(items, a_calibration(members), 0.5)


def a_calibration(members: int = 3) -> c.Calibration:
    two, all_members = np.array([1.0, 2.0]), np.ones(members)
    return c.Calibration(
        two, two, two / 10, two / 10, ("group 6", "group 7"), 1.5, 90.0, all_members, all_members, 0.8, 0.7, 1.1
    )


def _rattles(learning: Learning, job: Job, loaded: Loaded) -> c.RattleOutputs:
    cell = loaded.inputs.item.crystal
    shifts = [1.0 + 1e-3 * (n + 1) for n in range(loaded.settings["rattles"])]
    cells = tuple(replace(cell, cell=cell.cell * s) for s in shifts)
    return c.RattleOutputs(cells, (1, 1, 1), (2.5, 2.5, 2.5), 0.05)


def _calculate(learning: Learning, job: Job, loaded: Loaded) -> c.CalculateOutputs:
    task = DftTask.from_text(loaded.inputs.text)
    if "calculate" in learning.broken:
        return c.CalculateOutputs(None, "input", "no such PAW set", 1.0, 1)
    (found,) = FakePotential().evaluate([task.crystal])
    method = method_of(task.settings, engine_version="gpaw 26.7", paw="gpaw-data 1", oracle=task.oracle)
    result = DftResult(
        crystal=task.crystal, energy=found.energy, energy_sigma0=found.energy, forces=found.forces,
        stress=found.stress, k_mesh=(4, 4, 4), method=method, method_sha256=method_digest(method),
        version="gpaw 26.7", iterations=12,
    )  # fmt: skip
    return c.CalculateOutputs(result, "", "", 1.0, 1)


def _kappa_plan(learning: Learning, job: Job, loaded: Loaded) -> c.KappaPlanOutputs:
    rows = Candidate.objects.filter(pk__in=map(int, job.units))
    return c.KappaPlanOutputs(tuple(plan_item(x) for x in rows), ())


def _conductivity(learning: Learning, job: Job, loaded: Loaded) -> Any:
    return conductivity_outputs(learning.kappa)


def _spread(learning: Learning, job: Job, loaded: Loaded) -> c.SpreadOutputs:
    rows = [
        c.MemberKappa(n, 1600.0 + 60.0 * n, (1600.0 + 60.0 * n, 100.0, 10.0), "stable")
        for n in range(len(loaded.inputs.members) - 1)
    ]
    last = c.MemberKappa(len(rows), None, (), "imaginary", "it has imaginary modes")
    return c.SpreadOutputs((*rows, last), 9.0)


STAGES: dict[str, Callable[[Learning, Job, Loaded], Any]] = {
    "start_set": _start_set,
    "train_committee": _trained,
    "final_fit": _trained,
    "uncertainty": _uncertainty,
    "dft_labels": _rattles,
    "calculate": _calculate,
    "kappa_plan": _kappa_plan,
    "conductivity": _conductivity,
    "kappa_spread": _spread,
}
