"""A candidate with a κ_L, ready to be studied, and points that end as they are told to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.conductivity.models import KappaStudy, StudyPoint
from apps.conductivity.selectors.studies import study_group
from apps.conductivity.services import study_start
from apps.conductivity.stages import kappa_study
from apps.jobs.models import Job, State
from apps.structures.models import Candidate
from apps.worker.endings import job_over
from kappakit.convergence import Mesh
from kappakit.protocol import ConductivitySettings, Protocol
from kappakit.stages.contracts import StudyOutputs
from tests.apps.rows import a_campaign, a_candidate, a_result, a_user

SETTINGS = ConductivitySettings(
    supercell_rule="repeat",
    displacements="systematic",
    fc3_supercell=2,
    fc2_supercell=2,
    pair_cutoff=2.0,
    mesh_length=12.0,
)
PROTOCOL = Protocol(conductivity=SETTINGS)


@dataclass
class Bench:
    """`ada` owns the campaign."""

    campaign: Campaign
    ada: User
    candidate: Candidate

    def start(self, parameter: str = "mesh", values: tuple[float, ...] = (10.0, 12.0, 15.0)) -> KappaStudy:
        return study_start(candidate=self.candidate, user=self.ada, parameter=parameter, values=values)


def a_bench(owner: User | None = None, settings: ConductivitySettings = SETTINGS, **plan: Any) -> Bench:
    ada = owner or a_user("ada")
    campaign = a_campaign(ada, protocol=Protocol(conductivity=settings))
    candidate = a_candidate(campaign, 1)
    a_result(candidate, **({"expected_force_minutes": 0.1, "expected_bte_minutes": 0.5} | plan))
    return Bench(campaign, ada, candidate)


def outputs(point: StudyPoint, kappa: float = 1000.0, **facts: Any) -> StudyOutputs:
    values: dict[str, Any] = {
        "id": str(point.pk),
        "principal": (kappa, kappa, 0.8 * kappa),
        "uvw": ("in the plane", "in the plane", "[001]"),
        "mesh": Mesh("spacing", (4, 4, 4), ((4, 0, 0), (0, 4, 0), (0, 0, 4)), 10.1),
        "irreducible": 8,
        "supercell": ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
        "supercells": 12,
        "atoms_per_supercell": 16,
        "evaluations": 192,
        "dynamical": "stable",
        "lowest": 0.0,
        "note": "",
        "engine_version": "phono3py 4.9",
        "parts": {"forces": 1.0, "Boltzmann equation": 5.0},
        "seconds": 6.0,
    }
    return StudyOutputs(**(values | facts))


def job_of(point: StudyPoint) -> Job:
    return Job.objects.filter(group=study_group(point.study), units=[str(point.pk)]).get()


@transaction.atomic
def ends(point: StudyPoint, kappa: float = 1000.0, **facts: Any) -> None:
    """Its job runs and is done."""
    job = begins(point)
    touched = kappa_study.save(job, outputs(point, kappa, **facts), {})
    _over(job, State.DONE)
    job_over(job, touched)


@transaction.atomic
def fails(point: StudyPoint, message: str = "CUDA out of memory") -> None:
    """Its job runs and fails for good."""
    job = begins(point)
    touched = kappa_study.failed(job, message)
    _over(job, State.FAILED, error_message=message)
    job_over(job, touched)


def begins(point: StudyPoint) -> Job:
    """Its job is claimed and its inputs are loaded."""
    job = job_of(point)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, lease_owner="here", lease_until=Now())
    kappa_study.load(job)
    return job


def _over(job: Job, state: str, **facts: Any) -> None:
    Job.objects.filter(pk=job.pk).update(state=state, lease_owner="", lease_until=None, **facts)
