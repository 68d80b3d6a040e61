"""One campaign in which everything that the REST face shows exists once."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from apps.accounts.models import User
from apps.artifacts.models import Artifact
from apps.artifacts.services import store_bytes
from apps.campaigns.models import Campaign, Membership, Step
from apps.conductivity.models import KappaPlan, KappaStudy, KappaTensor, PhononFile, PhononResult, StudyPoint
from apps.dft.models import DftRequest
from apps.jobs.models import Attempt, Job
from apps.maps.models import MapPoint, SoapMap
from apps.reviews.models import CandidateList, CandidateListItem, Export, ExportState
from apps.reviews.services import candidate_summaries_refresh
from apps.structures.models import Candidate, Import, LiteratureValue, ReferenceCrystal, Relaxation, SymmetryReport
from apps.training.models import ModelFile, TrainedModel
from tests.api import rows
from tests.apps.gate import a_request
from tests.apps.rows import kappa_label, mesh_facts

KAPPA = [[1500.0, 0.0, 0.0], [0.0, 1500.0, 0.0], [0.0, 0.0, 1200.0]]


@dataclass
class World:
    """The rows, by what they are."""

    campaign: Campaign
    candidate: Candidate
    tensor: KappaTensor
    plan: KappaPlan
    model: TrainedModel
    list: CandidateList
    export: Export
    job: Job
    files: dict[str, Artifact]
    dft_request: DftRequest
    study: KappaStudy


def build(owner: User, name: str = "carbon") -> World:
    """The world of a campaign of this name; names, digests and bytes differ between names."""
    files = {kind: _file(kind, name) for kind in ("weights", "fc3", "import", "export", "log", "modes")}
    model = _model(name, files["weights"])
    campaign = rows.campaign(owner, name, potential=model)
    start, end = (rows.structure(_digest(name, part)) for part in ("start", "end"))
    candidate = _candidate(campaign, model, start, end)
    plan = _plan(candidate, model, end)
    phonons = _phonons(plan, end, files)
    tensor = _tensor(phonons, candidate)
    step = Step.objects.create(campaign=campaign, name="conductivity", expected_units=1)
    job = _job(step, files["log"])
    files["map"] = _map(campaign, candidate)
    Import.objects.create(campaign=campaign, file_name="carbon.extxyz", artifact=files["import"], uploaded_by=owner)
    candidate_summaries_refresh([candidate.pk])
    made = CandidateList.objects.create(campaign=campaign, name="good ones", owner=owner)
    CandidateListItem.objects.create(list=made, candidate=candidate, added_by=owner)
    export = _export(campaign, owner, candidate, files["export"])
    asked = a_request(campaign, owner, count=2, candidate=candidate)
    return World(campaign, candidate, tensor, plan, model, made, export, job, files, asked, _study(plan, owner))


def reference(name: str = "diamond") -> ReferenceCrystal:
    """A known crystal with a published value."""
    known = ReferenceCrystal.objects.create(
        name=name, structure=rows.structure(_digest(name, "reference")), space_group="Fd-3m", citation="a paper"
    )
    LiteratureValue.objects.create(reference=known, kappa_low=2200, kappa_high=2200, method="measured", citation="Wei")
    return known


def member(of: Campaign, name: str, *roles: str) -> User:
    """A person with roles in the campaign."""
    person = rows.user(name)
    Membership.objects.create(campaign=of, user=person, roles=list(roles))
    return person


def _file(kind: str, name: str) -> Artifact:
    return store_bytes(f"{kind} of {name}".encode(), kind=kind, name=f"{kind}.bin")


def _digest(name: str, part: str) -> str:
    return (name + part).encode().hex().ljust(64, "0")[:64]


def _model(name: str, weights: Artifact) -> TrainedModel:
    model = TrainedModel.objects.create(
        name=f"potential of {name}", engine="allegro", state="READY", sha256=weights.sha256, species=["C"],
        card={"energy_mae": 12.0}, curve=[[1, 0.5, 20.0, 300.0, 1.0, 0.01, 9.0]],
    )  # fmt: skip
    ModelFile.objects.create(model=model, name="model.safetensors", artifact=weights)
    return model


def _candidate(campaign: Campaign, model: TrainedModel, start: Any, end: Any) -> Candidate:
    relaxation = Relaxation.objects.create(
        start=start, end=end, potential=model, settings_digest="s", pressure=0.0, energy_per_atom=-9.1, max_force=0.001,
        max_stress=0.01, steps=12, converged=True, deviation_lengths=[0.01, 0.0, 0.0],
        deviation_angles=[0.0, 0.0, 0.0], deviation_volume=0.01, deviation_positions=0.0, engine_version="e",
        precision="float64",
    )  # fmt: skip
    symmetry = SymmetryReport.objects.create(
        structure=end, settings_digest="s", number=227, symbol="Fd-3m", point_group="m-3m", crystal_system="cubic",
        operations=48, n_primitive=2, wyckoff=["a"], primitive=end, conventional=end, dimensionality=3,
    )  # fmt: skip
    (made,) = rows.candidates(
        campaign, 1, start, relaxation=relaxation, relaxed=end, symmetry=symmetry, outcome="kept", above_hull=0.0
    )
    return made


def _plan(candidate: Candidate, model: TrainedModel, primitive: Any) -> KappaPlan:
    return KappaPlan.objects.create(
        candidate=candidate, potential=model, settings_digest="s", settings=candidate.campaign.protocol["conductivity"],
        state="DONE", primitive=primitive, space_group_number=227, space_group="Fd-3m", symmetry_kept=True,
        dimensionality=3, energy_change=-0.1, max_force=1e-5, max_stress=1e-3, supercells_fc3=95, supercells_fc2=1,
        atoms_per_supercell=54, pairs_omitted=40, evaluations=5184, mesh=[8, 8, 8], mesh_rule="spacing",
        mesh_length=28.5, q_points=60, promise=1300.0, promise_method="Slack's formula from elastic constants",
        supercell=[[3, 0, 0], [0, 3, 0], [0, 0, 3]], expected_force_minutes=0.1,
        expected_bte_minutes=0.4, expected_lbte_minutes=2.0, expected_memory=0.3, shells=[[1.54, 4, False]],
    )  # fmt: skip


def _phonons(plan: KappaPlan, primitive: Any, files: dict[str, Artifact]) -> PhononResult:
    bands = {"distances": [0.0, 0.1], "frequencies": [[0.0, 1.0], [0.5, 2.0]], "ticks": [[0.0, "Γ"]], "breaks": []}
    made = PhononResult.objects.create(
        plan=plan, source=plan.potential.name, primitive=primitive, dynamical="stable", lowest_commensurate=4.0,
        lowest_mesh=0.1, lowest_path=0.0, acoustic_lowest=0.0, bands=bands, modes=files["modes"],
        dos={"frequencies": [0.0, 1.0], "total": [0.0, 0.3]},
        cumulative={"mean_free_paths": [10.0, 100.0], "cumulative": [1.0, 1400.0]},
        residuals={"asr_fc2": 1e-9, "asr_fc3": 1e-8, "permutation_fc2": 0.0, "permutation_fc3": 0.0}, nac="not needed",
        engine_version="phono3py", seconds=12.0, parts={"forces": 2.0, "Boltzmann equation": 9.0},
        fit={"route": "random", "supercells": 40, "unknowns": 300, "part": 30, "error": 0.012, "change": 0.01},
    )  # fmt: skip
    PhononFile.objects.create(phonons=made, kind="fc3", artifact=files["fc3"])
    return made


def _tensor(phonons: PhononResult, candidate: Candidate) -> KappaTensor:
    principal = [1500.0, 1500.0, 1200.0]
    mesh = mesh_facts(principal)
    return KappaTensor.objects.create(
        phonons=phonons, candidate=candidate, method="RTA", temperature=300.0, largest=1500.0, principal=principal,
        directions=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], uvw=["in the plane", "in the plane", "[001]"],
        temperatures=[300.0], kappa=[KAPPA], principal_by_temperature=[principal], rankable=True,
        label=kappa_label(phonons, "RTA", mesh), seconds=9.0, **mesh,
    )  # fmt: skip


def _study(plan: KappaPlan, owner: User) -> KappaStudy:
    made = KappaStudy.objects.create(
        candidate=plan.candidate, plan=plan, parameter="mesh", values=[20.0, 25.0], settings=plan.settings,
        state="DONE", requested_by=owner,
    )  # fmt: skip
    for order, value in enumerate(made.values):
        StudyPoint.objects.create(
            study=made, order=order, value=value, digest=f"point {order}", state="DONE",
            principal=[1500.0, 1500.0, 1200.0], uvw=["in the plane", "in the plane", "[001]"], mesh=[9, 9, 9],
            mesh_rule="spacing", mesh_length=value, mesh_points=729, irreducible=40, seconds=9.0, dynamical="stable",
        )  # fmt: skip
    return made


def _job(step: Step, log: Artifact) -> Job:
    job = Job.objects.create(
        kind="conductivity", group=f"step:{step.pk}", key=f"key of {step.pk}", label="κ_L", queue="heavy", state="DONE"
    )
    Attempt.objects.create(job=job, number=1, host="here", outcome="done", exit_code=0, log=log)
    return job


def _map(campaign: Campaign, candidate: Candidate) -> Artifact:
    content = BytesIO()
    np.savez(content, ids=np.array([candidate.pk]), descriptors=np.zeros((1, 3), dtype=np.float32))
    descriptors = store_bytes(content.getvalue(), kind="map", name="map.npz")
    made = SoapMap.objects.create(
        campaign=campaign, version=1, settings={"space": "soap"}, seed=0, perplexity=10.0, descriptors=descriptors
    )
    MapPoint.objects.create(map=made, candidate=candidate, x=1.0, y=2.0)
    return descriptors


def _export(campaign: Campaign, owner: User, candidate: Candidate, file: Artifact) -> Export:
    made = Export.objects.create(
        campaign=campaign, filter={"rankable": "true"}, columns=["index"], candidates=[candidate.pk], format="csv",
        requested_by=owner,
    )  # fmt: skip
    Export.objects.filter(pk=made.pk).update(state=ExportState.DONE, artifact=file, rows=1, sha256=file.sha256)
    made.refresh_from_db()
    return made
