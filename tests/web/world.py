"""A campaign with everything that a page can show, of true shapes: what tests of pages and browsers look at."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from apps.accounts.models import User
from apps.artifacts.services import store_bytes
from apps.campaigns.models import Campaign, Membership, Step
from apps.conductivity.models import KappaPlan, KappaTensor, PhononFile, PhononResult, PlanState
from apps.jobs.models import Attempt, Job
from apps.maps.models import MapPoint, Selection, SelectionMember, SoapMap
from apps.reviews.models import CandidateList, CandidateListItem, Review
from apps.reviews.services import candidate_summaries_refresh
from apps.structures.models import Candidate, DuplicateMatch, ReferenceCrystal, Refusal
from apps.structures.services import reference_crystals_seed
from apps.training.models import ModelState, TrainedModel
from kappakit.crystals import Crystal
from kappakit.protocol import PROTOCOLS
from tests.apps import generation, rows

KAPPA = {"diamond": 2480.0, "lonsdaleite": 1730.0, "bct-C4": 1520.0, "Z-carbon": 1290.0, "AA-T12-carbon": 880.0}
"""Largest principal κ_L, W/(m·K), that the world gives its crystals: about what is published."""

CONVERGED = {"Z-carbon": False, "AA-T12-carbon": None}
"""Whose κ_L did not converge on its mesh, or was never tested: one of the paper's rule, thin in a direction."""

STEPS = ("import_structures", "generate", "relax", "deduplicate", "novelty", "screen", "stability", "embed", "sample",
         "kappa_plan", "conductivity")  # fmt: skip
CURVE = [[e, 3.0 / e**0.5, 120.0 / e**0.4, 900.0 / e**0.3, 2.0 / e**0.3, 0.01, 2.5] for e in range(1, 200, 3)]
GENERATOR_CURVE = [
    [s, 0.9 / s**0.2, 40.0 / s**0.3 - 9.0, 2.0 / s**0.2, 1.0 / s**0.2, 41.0 / s**0.3 - 8.0, 2.1 / s**0.2, 0.0, 60.0,
     1e-3, 0.4 * s] for s in range(250, 5001, 250)
]  # fmt: skip


@dataclass
class World:
    """The rows, by what they are."""

    owner: User
    campaign: Campaign
    model: TrainedModel
    candidates: dict[str, Candidate]
    waiting: KappaPlan
    list: CandidateList
    job: Job


def build(owner: User, *, name: str = "Carbon, first search", state: str = "DONE", extra: int = 12) -> World:
    """A campaign of `owner` with the known crystals and `extra` others."""
    reference_crystals_seed()
    model = a_model()
    protocol = PROTOCOLS["demo"]
    campaign = Campaign.objects.create(
        name=name, owner=owner, protocol=protocol.as_dict(), protocol_digest=protocol.digest, potential=model,
        description="Known allotropes, disturbed, and crystals of the random symmetric search.", state=state,
    )  # fmt: skip
    known = {r.name: _known(campaign, i, r) for i, r in enumerate(ReferenceCrystal.objects.order_by("id"))}
    others = [_other(campaign, len(known) + i) for i in range(extra)]
    for crystal, kappa in KAPPA.items():
        lbte = 1.2 * kappa if crystal == "diamond" else None
        a_result(known[crystal], kappa, lbte=lbte, converged=CONVERGED.get(crystal, True))
    rows.a_result(known["graphite"], 420.0, dimensionality=2)
    rows.a_result(others[3], dynamical="imaginary")
    waiting = rows.a_plan(others[5], supercells_fc3=1204, evaluations=912_000, expected_bte_minutes=14.0)
    _decided(campaign, owner, known, others)
    everyone = [*known.values(), *others]
    _map(campaign, everyone)
    candidate_summaries_refresh([c.pk for c in everyone])
    job = _steps(campaign, state)
    named = CandidateList.objects.create(campaign=campaign, name="for DFT", owner=owner)
    CandidateListItem.objects.create(list=named, candidate=known["bct-C4"], added_by=owner, note="soft modes?")
    Refusal.objects.create(
        campaign=campaign, step_name="import_structures", source="hostile.cif#1", reason="unreadable",
        detail="The file is not a CIF: no lattice parameter was found.",
    )  # fmt: skip
    return World(owner, campaign, model, known, waiting, named, job)


def a_model(name: str = "carbon-laptop", **facts: Any) -> TrainedModel:
    """A potential with card and curve."""
    values: dict[str, Any] = {
        "engine": "allegro", "version": "allegro (nequip 0.19)", "configuration": "carbon-laptop", "species": ["C"],
        "sha256": "9f" * 32, "state": ModelState.READY, "curve": CURVE,
        "card": {
            "parameters": 45264,
            "split": {"by": "distinct crystal", "test": {"frames": 38, "groups": list(range(16))}},
            "errors": {"test": {"all": {"frames": 38, "energy_mae_mev_per_atom": 14.2,
                                        "force_rmse_mev_per_angstrom": 388.1, "stress_mae_gpa": 1.1}}},
            "properties": {"diamond_lattice_constant_angstrom": 3.5781},
        },
    }  # fmt: skip
    return TrainedModel.objects.create(name=name, **(values | facts))


QUALITY = {
    "settings": {"sampler": "annealed", "tries": 3, "prior": "posterior"},
    "reconstruction": {"crystals": 500, "match": 0.5312, "rmse": 0.1187},
    "generation": {"crystals": 1000, "seconds_each": 0.213, "valid": 1.0, "plausible": 0.873, "recall": 0.9911,
                   "precision": 0.9034, "density_wasserstein": 0.0912},
}  # fmt: skip


def a_generator(name: str = "carbon-generator", *, quality: dict[str, Any] | None = None, **facts: Any) -> TrainedModel:
    """A generator with card and curve, measured where `quality` says so."""
    card = {
        "name": "carbon", "engine": "cdvae", "version": "cdvae 1 (torch 2.13.0)", "parameters": 1204331, "seed": 0,
        "configuration": {"name": "carbon", "architecture": {"cutoff": 5.0, "latent": 128},
                          "training": {"steps": 20000, "batch": 256}},
        "species": ["C"],
        "data": {"train": 6091, "validation": 2032, "test": 2030, "atoms": [6, 24],
                 "left_out": {"more than 24 atoms in the cell": 3}, "files": {"train": "train.csv"},
                 "split": "by file", "refused": {"unreadable": 2}},
        "training": {"steps": 20000, "skipped_steps": 1, "crystals_a_step": 256, "seconds": 8123.4, "device": "x86_64"},
        "errors": {"test": {"coordinates": 0.31, "lattice": -3.2}},
        **({"quality": quality} if quality else {}),
    }  # fmt: skip
    values: dict[str, Any] = {
        "version": "cdvae 1 (torch 2.13.0)", "configuration": "carbon", "sha256": "7e" * 32, "curve": GENERATOR_CURVE,
        "card": card,
    }  # fmt: skip
    return generation.a_generator(name, **(values | facts))


def a_result(
    candidate: Candidate, kappa: float, lbte: float | None = None, *, converged: bool | None = True
) -> PhononResult:
    """A finished κ_L with bands, DOS, κ(T), cumulative κ and files."""
    phonons = rows.a_result(candidate, kappa, converged=converged, promise=0.8 * kappa)
    PhononResult.objects.filter(pk=phonons.pk).update(
        bands=bands(), dos=dos(), cumulative=cumulative(kappa), lowest_commensurate=14.1, lowest_mesh=0.4,
        residuals={"asr_fc2": 2e-9, "asr_fc3": 4e-8, "permutation_fc2": 0.0, "permutation_fc3": 1e-9,
                   "force_noise": 3e-6},
    )  # fmt: skip
    for kind in ("phono3py_yaml", "fc2", "fc3"):
        artifact = store_bytes(f"{kind} {candidate.pk}".encode(), kind=kind, name=f"{kind}.hdf5")
        PhononFile.objects.create(phonons=phonons, kind=kind, artifact=artifact)
    told = temperatures(kappa)
    KappaTensor.objects.filter(phonons=phonons).update(**told, **rows.mesh_facts(told["principal"], converged))
    if lbte:
        rows.a_tensor(phonons, lbte, "LBTE", **temperatures(lbte))
    return phonons


def temperatures(kappa: float) -> dict[str, Any]:
    """κ_L over 100–1000 K falling as 1/T^1.2, two principal values equal, as in a uniaxial crystal."""
    grid = [float(t) for t in range(100, 1001, 50)]
    principal = [[k, k, 0.8 * k] for k in (kappa * (300.0 / t) ** 1.2 for t in grid)]
    return {
        "temperatures": grid, "principal_by_temperature": principal, "kappa": [np.diag(p).tolist() for p in principal],
        "principal": [kappa, kappa, 0.8 * kappa], "uvw": ["any direction in the plane ⊥ [001]"] * 2 + ["[001]"],
    }  # fmt: skip


def bands(branches: int = 6, points: int = 40) -> dict[str, Any]:
    """Sine-like branches along Γ–X, then K–Γ–L after a break."""
    q = np.concatenate([np.linspace(0, 1, points), np.linspace(0.75, 0, points), np.linspace(0, 0.9, points)])
    at = np.concatenate(
        [np.linspace(0, 0.28, points), np.linspace(0.28, 0.57, points), np.linspace(0.57, 0.81, points)]
    )
    acoustic = [(12 + 6 * b) * np.sin(np.pi * q / 2) for b in range(3)]
    optical = [39 - (3 + 3 * b) * np.sin(np.pi * q / 2) ** 2 for b in range(branches - 3)]
    ticks = [[0.0, "Γ"], [0.28, "X"], [0.28, "K"], [0.57, "Γ"], [0.81, "L"]]
    frequencies = np.array([*acoustic, *optical]).T
    return {"distances": at.tolist(), "frequencies": frequencies.tolist(), "ticks": ticks, "breaks": [points]}


def dos() -> dict[str, Any]:
    """A Debye-like rise with an optical peak."""
    f = np.linspace(0, 42, 120)
    total = 2e-4 * f**2 * (f < 32) + 0.8 * np.exp(-(((f - 36) / 2.2) ** 2))
    return {"frequencies": f.tolist(), "total": total.tolist()}


def cumulative(kappa: float) -> dict[str, Any]:
    paths = np.logspace(1, 6, 60)
    return {"mean_free_paths": paths.tolist(), "cumulative": (kappa / (1 + (8e3 / paths) ** 0.9)).tolist()}


def _known(campaign: Campaign, index: int, reference: ReferenceCrystal) -> Candidate:
    s = reference.structure
    level = "kappa-known" if reference.literature.exists() else "structure-known"
    symmetry = rows.a_symmetry(s, symbol=reference.space_group.split()[0], n_primitive=s.n_atoms,
                               dimensionality=2 if reference.name == "graphite" else 3)  # fmt: skip
    return rows.a_candidate(
        campaign, index, label=reference.name, start=s, relaxed=s, symmetry=symmetry, novelty=level,
        known_as=reference, novelty_rms=0.004, above_hull=0.03 * (index % 7),
        relaxation=rows.a_relaxation(s, s, campaign.potential), origin="reference",
    )  # fmt: skip


def _other(campaign: Campaign, index: int) -> Candidate:
    outcome, reason = [("kept", ""), ("screened-out", "symmetry"), ("rejected", "distance"), ("kept", "")][index % 4]
    return rows.a_candidate(
        campaign, index, origin="generated", source=f"search#{index}", generator="search 1", seed=index,
        outcome=outcome, outcome_reason=reason, outcome_detail={"distance": "Two atoms too close"}.get(reason, ""),
        novelty="new" if outcome == "kept" else "", above_hull=0.1 + 0.01 * index,
    )  # fmt: skip


def _decided(campaign: Campaign, owner: User, known: dict[str, Candidate], others: list[Candidate]) -> None:
    Review.objects.create(candidate=known["bct-C4"], author=owner, kind="shortlist", text="Stiff and simple.")
    Review.objects.create(candidate=known["bct-C4"], author=owner, kind="comment", text="Compare with Z-carbon.")
    Candidate.objects.filter(pk=others[0].pk).update(outcome="duplicate")
    DuplicateMatch.objects.create(
        campaign=campaign, representative=known["diamond"], duplicate=others[0], rms_forward=0.0012, rms_backward=None,
        energy_difference=23.1, conflict="one-way, energy",
    )  # fmt: skip


def _map(campaign: Campaign, candidates: list[Candidate]) -> None:
    content = BytesIO()
    np.savez(content, ids=np.array([c.pk for c in candidates]), descriptors=np.zeros((len(candidates), 4), np.float32))
    file = store_bytes(content.getvalue(), kind="map", name="map.npz")
    made = SoapMap.objects.create(
        campaign=campaign, version=1, settings={"space": "soap"}, seed=0, perplexity=10.0, descriptors=file
    )
    places = np.random.default_rng(1).normal(size=(len(candidates), 2)) * 12
    MapPoint.objects.bulk_create(
        MapPoint(map=made, candidate=c, x=float(x), y=float(y)) for c, (x, y) in zip(candidates, places, strict=True)
    )
    sample = Selection.objects.create(campaign=campaign, map=made, kind="sample", settings={"space": "soap"})
    for order, candidate in enumerate(candidates[:6]):
        SelectionMember.objects.create(selection=sample, candidate=candidate, order=order, distance=1.5, how="fps")


def _steps(campaign: Campaign, state: str) -> Job:
    names = STEPS if state == "DONE" else STEPS[:3]
    for name in names:
        step = Step.objects.create(campaign=campaign, name=name, expected_units=40, report={"kept": 40, "dropped": 0})
        done = state == "DONE" or name != names[-1]
        log = store_bytes(b"loading carbon-laptop\nrelaxing 40 crystals\ndone\n", kind="log", name="stage.log")
        job = Job.objects.create(
            kind=name, group=f"step:{step.pk}", key=f"{step.pk}", label=f"{name} of 40", queue="heavy",
            units=[str(i) for i in range(40)], state="DONE" if done else "QUEUED",
        )  # fmt: skip
        Attempt.objects.create(job=job, number=1, host="here", outcome="done", log=log, message="")
        if done:
            Step.objects.filter(pk=step.pk).update(state="DONE")
    return job


def a_member(campaign: Campaign, name: str, *roles: str) -> User:
    """A person with these roles."""
    user = User.objects.create_user(name, password="correct horse")
    Membership.objects.create(campaign=campaign, user=user, roles=list(roles))
    return user


def a_crystal(repeat: int = 1) -> Crystal:
    """Diamond's primitive cell."""
    return rows.a_crystal(1.0 + 1e-3 * repeat)


DONE = PlanState.DONE
