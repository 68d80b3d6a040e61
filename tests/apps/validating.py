"""A candidate on its way through a validation: the stages run in this process, Tersoff's potential stands for all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.conductivity.models import PhononResult, Validation, ValidationState
from apps.conductivity.stages import BINDINGS
from apps.dft.models import DftCalculation, DftRequest
from apps.dft.selectors import jobs_of
from apps.dft.services import budget_grant, calculation_decide, calculation_ended
from apps.jobs.models import Job, State
from apps.reviews.services import candidate_validation_request
from apps.structures.models import Candidate
from apps.worker.endings import job_over
from kappakit import archive, run
from kappakit.crystals import Crystal
from kappakit.dft import RELAX, DftTask
from kappakit.ports import DftResult
from kappakit.protocol import ConductivitySettings, DftSettings, Protocol
from kappakit.stages.contracts import CalculateOutputs
from kappakit.stages.table import STAGES
from tests.apps.rows import a_campaign, a_candidate, a_member, a_result, a_user
from tests.kappakit.stages.tersoff_engines import TersoffEngines
from tests.kappakit.tersoff_potential import TersoffPotential

PROTOCOL = Protocol(
    conductivity=ConductivitySettings(
        supercell_rule="repeat",
        displacements="systematic",
        fc3_supercell=2,
        fc2_supercell=2,
        pair_cutoff=2.0,
        mesh_length=12.0,
    ),
    dft=DftSettings(k_spacing=0.8, spin=False, cutoff=300.0),
)
GAP = 4.2
WIDER = 1.004
"""DFT's lattice over the potential's."""
RESIDUALS = {"asr_fc2": 0.0, "asr_fc3": 0.0, "permutation_fc2": 0.0, "permutation_fc3": 0.0, "force_noise": 0.0}
NAMED = {binding.name: binding for binding in BINDINGS}


@dataclass
class Way:
    """`scientist` owns and reviews, `approver` decides."""

    campaign: Campaign
    scientist: User
    approver: User
    candidate: Candidate

    def ask(self, part: str = "harmonic") -> Validation:
        return candidate_validation_request(candidate=self.candidate, user=self.scientist, part=part)

    def decide(self, request: DftRequest, answer: str = "approve", reason: str = "") -> None:
        for row in request.calculations.order_by("order"):
            calculation_decide(calculation=row, version=row.version, answer=answer, user=self.approver, reason=reason)


def a_way(protocol: Protocol = PROTOCOL, owner: User | None = None) -> Way:
    scientist = owner or a_user("scientist")
    campaign = a_campaign(scientist, protocol=protocol)
    approver = a_member(campaign, "approver", name="approver")
    budget_grant(campaign=campaign, core_hours=1000.0, user=approver)
    candidate = a_candidate(campaign, 1)
    phonons = a_result(candidate)
    PhononResult.objects.filter(pk=phonons.pk).update(residuals=RESIDUALS)
    return Way(campaign, scientist, approver, candidate)


def asked_and_relaxed(way: Way, folder: Path, part: str = "harmonic") -> Validation:
    """Asked for, its relaxation approved and computed: the supercells wait at the gate."""
    found = way.ask(part)
    run_jobs(folder)
    found.refresh_from_db()
    if found.state == ValidationState.RELAXING:
        way.decide(found.relax_request)
        compute(found.relax_request)
        run_jobs(folder)
        found.refresh_from_db()
    return found


def run_jobs(folder: Path) -> list[str]:
    """Every queued job of a validation, as the worker would; their kinds."""
    kinds = []
    while job := Job.objects.filter(kind__in=("validation_cells", "validate"), state=State.QUEUED).first():
        run_job(job, folder)
        kinds.append(job.kind)
    return kinds


@transaction.atomic
def run_job(job: Job, folder: Path) -> None:
    """Load, run in a folder as the worker's process does, and save."""
    _begun(job)
    binding = NAMED[job.kind]
    loaded = binding.load(job)
    own = folder / str(job.pk)
    run.prepare(own, job.kind, loaded.inputs, dict(loaded.settings), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run.main(own, lambda progress: TersoffEngines()) == run.EXIT_DONE
    touched = binding.save(job, archive.read(own, "outputs", STAGES[job.kind].outputs), {})
    _over(job)
    job_over(job, touched)


def compute(request: DftRequest | None, *, stiffness: float = 1.0, **facts: Any) -> None:
    """Each approved calculation ends with what Tersoff's potential says, times `stiffness`."""
    assert request is not None
    for row in request.calculations.order_by("order"):
        ended(row, CalculateOutputs(_result(row, stiffness, **facts), "", "", 60.0, 1))


@transaction.atomic
def ended(row: DftCalculation, outputs: CalculateOutputs) -> None:
    """As the worker ends the calculation's newest job."""
    job = jobs_of(row).last()
    assert job is not None
    _begun(job)
    calculation_ended(job=job, outputs=outputs, files={})
    _over(job)
    job_over(job, set())


def _begun(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, lease_owner="here", lease_until=Now())


def _over(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=State.DONE, lease_owner="", lease_until=None)


def _result(row: DftCalculation, stiffness: float, **facts: Any) -> DftResult:
    task = DftTask.from_text(row.inputs)
    crystal = task.crystal
    if task.task == RELAX:
        crystal = Crystal(crystal.cell * WIDER, crystal.frac, crystal.numbers)
    (found,) = TersoffPotential().evaluate([crystal])
    values = {
        "crystal": crystal,
        "energy": found.energy,
        "energy_sigma0": found.energy,
        "forces": np.asarray(found.forces) * stiffness,
        "stress": found.stress,
        "k_mesh": (4, 4, 4),
        "method": {"engine": "gpaw"},
        "method_sha256": "3e" * 32,
        "version": "gpaw 26.7",
        "iterations": 12,
        "gap": GAP,
    }
    return DftResult(**(values | facts))
