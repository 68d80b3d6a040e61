"""Rows of a campaign, made directly: what the tests of the upper apps begin from."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.campaigns.models import Campaign, Membership
from apps.conductivity.models import KappaPlan, KappaTensor, PhononResult, PlanState
from apps.conductivity.trust import MeshWords, trust_label
from apps.reviews.services import candidate_summaries_refresh
from apps.structures.models import Candidate, Outcome, Relaxation, Structure, SymmetryReport
from apps.training.models import ModelState, TrainedModel
from kappakit.crystals import Crystal
from kappakit.protocol import PROTOCOLS, Protocol

DIAMOND = [[0.0, 1.784, 1.784], [1.784, 0.0, 1.784], [1.784, 1.784, 0.0]]


def a_user(name: str = "rosa", **facts: Any) -> User:
    return User.objects.create_user(name, password="correct horse", **facts)


def may_create(user: User) -> None:
    """Give `user` the permission to create campaigns and to train models."""
    user.user_permissions.add(Permission.objects.get(codename="create_campaigns"))


def a_model(name: str = "carbon-test", **facts: Any) -> TrainedModel:
    values = {"engine": "allegro", "sha256": "ab" * 32, "version": "allegro 0", "state": ModelState.READY} | facts
    return TrainedModel.objects.create(name=name, **values)


def a_campaign(owner: User, name: str = "carbon", protocol: Protocol = PROTOCOLS["demo"], **facts: Any) -> Campaign:
    values = {"potential": TrainedModel.objects.first() or a_model()} | facts
    return Campaign.objects.create(
        name=name, owner=owner, protocol=protocol.as_dict(), protocol_digest=protocol.digest, **values
    )


def a_member(campaign: Campaign, *roles: str, name: str = "") -> User:
    user = a_user(name or "-".join(roles))
    Membership.objects.create(campaign=campaign, user=user, roles=list(roles))
    return user


def a_crystal(scale: float = 1.0) -> Crystal:
    """Diamond's primitive cell, scaled: each scale is another geometry."""
    return Crystal.from_symbols(np.array(DIAMOND) * scale, [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], ["C", "C"])


def a_structure(crystal: Crystal, **facts: Any) -> Structure:
    row = structure_row(crystal)
    found = Structure.objects.filter(digest=row.digest).first()
    if found is None:
        row.save()
        found = row
    Structure.objects.filter(pk=found.pk).update(**facts)
    found.refresh_from_db()
    return found


def structure_row(crystal: Crystal) -> Structure:
    return Structure(
        digest=crystal.digest,
        n_atoms=crystal.n_atoms,
        formula=crystal.formula,
        chemical_system=crystal.chemical_system,
        volume_per_atom=crystal.volume / crystal.n_atoms,
        density=crystal.density,
        **crystal.to_dict(),
    )


def a_candidate(campaign: Campaign, index: int, **facts: Any) -> Candidate:
    """A kept, relaxed, screened crystal; `facts` overrule. Its summary is written."""
    start = a_structure(a_crystal(1.01 + index * 1e-4))
    relaxed = a_structure(a_crystal(1.0 + index * 1e-4))
    values = {
        "origin": "imported",
        "source": f"given.extxyz#{index}",
        "label": f"crystal {index}",
        "start": start,
        "relaxation": a_relaxation(start, relaxed, campaign.potential),
        "relaxed": relaxed,
        "symmetry": a_symmetry(relaxed),
        "outcome": Outcome.KEPT,
    } | facts
    candidate = Candidate.objects.create(campaign=campaign, index=index, **values)
    candidate_summaries_refresh([candidate.pk])
    return candidate


def a_relaxation(start: Structure, end: Structure, potential: TrainedModel | None) -> Relaxation:
    row, _ = Relaxation.objects.get_or_create(
        start=start,
        potential=potential,
        settings_digest="d" * 64,
        defaults={
            "end": end,
            "pressure": 0.0,
            "energy_per_atom": -7.5,
            "max_force": 0.005,
            "max_stress": 0.01,
            "steps": 42,
            "converged": True,
            "deviation_lengths": [0.01, 0.01, 0.01],
            "deviation_angles": [0.0, 0.0, 0.0],
            "deviation_volume": -0.03,
            "deviation_positions": 0.0,
            "engine_version": "allegro 0",
            "precision": "float64",
        },
    )
    return row


def a_symmetry(structure: Structure, **facts: Any) -> SymmetryReport:
    values = {
        "number": 227,
        "symbol": "Fd-3m",
        "point_group": "m-3m",
        "crystal_system": "cubic",
        "operations": 48,
        "n_primitive": 2,
        "wyckoff": ["a", "a"],
        "primitive": structure,
        "conventional": structure,
        "dimensionality": 3,
    } | facts
    row, _ = SymmetryReport.objects.get_or_create(structure=structure, settings_digest="s" * 64, defaults=values)
    return row


def a_plan(candidate: Candidate, **facts: Any) -> KappaPlan:
    """A plan that waits."""
    values = {
        "potential": candidate.campaign.potential,
        "settings_digest": "p" * 64,
        "settings": candidate.campaign.protocol["conductivity"],
        "primitive": candidate.relaxed,
        "space_group_number": 227,
        "space_group": "Fd-3m",
        "symmetry_kept": True,
        "dimensionality": 3,
        "energy_change": -0.1,
        "max_force": 1e-5,
        "max_stress": 1e-3,
        "supercells_fc3": 95,
        "supercells_fc2": 1,
        "atoms_per_supercell": 54,
        "pairs_omitted": 24,
        "evaluations": 5184,
        "supercell": [[3, 0, 0], [0, 3, 0], [0, 0, 3]],
        "mesh": [8, 8, 8],
        "mesh_rule": "spacing",
        "mesh_length": 28.5,
        "q_points": 60,
        "promise": 1800.0,
        "promise_method": "Slack's formula from elastic constants",
        "expected_force_minutes": 0.2,
        "expected_bte_minutes": 0.5,
        "expected_lbte_minutes": 1.0,
        "expected_memory": 0.5,
        "shells": [[1.545, 4, False], [2.522, 12, False], [2.958, 12, True]],
        "state": PlanState.PLANNED,
    } | facts
    plan = KappaPlan.objects.create(candidate=candidate, **values)
    candidate_summaries_refresh([candidate.pk])
    return plan


def a_result(
    candidate: Candidate,
    kappa: float = 2000.0,
    *,
    dynamical: str = "stable",
    converged: bool | None = True,
    **facts: Any,
) -> PhononResult:
    """A finished plan with phonons and, unless they are imaginary, an RTA tensor. `facts` are the plan's."""
    plan = a_plan(candidate, **({"state": PlanState.DONE} | facts))
    phonons = PhononResult.objects.create(
        plan=plan,
        source=plan.potential.name,
        primitive=plan.primitive,
        dynamical=dynamical,
        lowest_commensurate=0.0,
        lowest_mesh=0.0,
        lowest_path=0.0,
        acoustic_lowest=0.0,
        bands={"distances": [0.0, 0.1], "frequencies": [[0.0], [1.0]], "ticks": [[0.0, "Γ"]], "breaks": []},
        dos={"frequencies": [0.0, 1.0], "total": [0.0, 1.0]},
        residuals={"asr_fc2": 1e-9},
        nac="not needed",
        engine_version="phono3py 4.9",
        seconds=3.0,
        parts={"forces": 1.0, "force constants": 0.5, "phonons": 0.5, "Boltzmann equation": 1.0},
        fit={"route": "systematic", "supercells": 95, "unknowns": 0, "part": None, "error": None, "change": None},
    )
    if dynamical != "imaginary":
        a_tensor(phonons, kappa, converged=converged)
    candidate_summaries_refresh([candidate.pk])
    return phonons


def a_tensor(
    phonons: PhononResult, kappa: float, method: str = "RTA", /, *, converged: bool | None = True, **facts: Any
) -> KappaTensor:
    """κ_L at 300 K, its largest principal value `kappa`; `converged` on its mesh, None: computed on one mesh only."""
    plan = phonons.plan
    good = phonons.dynamical == "stable" and plan.symmetry_kept and plan.dimensionality == 3
    principal = [kappa, kappa / 2, kappa / 3]
    values = {
        "temperature": 300.0,
        "largest": kappa,
        "principal": principal,
        "directions": np.eye(3).tolist(),
        "uvw": ["[100]", "[010]", "[001]"],
        "temperatures": [300.0],
        "kappa": [np.diag(principal).tolist()],
        "principal_by_temperature": [principal],
        "rankable": good,
        "seconds": 1.0,
    } | facts
    mesh = mesh_facts(values["principal"], converged)
    label = kappa_label(phonons, method, mesh)
    return KappaTensor.objects.create(
        phonons=phonons, candidate=plan.candidate, method=method, **({"label": label} | mesh | values)
    )


def mesh_facts(principal: list[float], converged: bool | None = True) -> dict[str, Any]:
    """What a tensor knows of its mesh: two of them whose last step changed κ₁ by 1.8 % or, not converged, by 12 %;
    None: a mesh by the paper's rule that nobody tested."""
    if converged is None:
        return {"mesh": [10, 10, 10], "mesh_rule": "axes", "mesh_length": 20.6, "mesh_points": 1000}
    change = 0.018 if converged else 0.12
    steps = [
        {"length": 21.4, "numbers": [6, 6, 6], "points": 864, "irreducible": 28, "seconds": 0.4,
         "principal": [value * (1 - change) for value in principal]},
        {"length": 28.5, "numbers": [8, 8, 8], "points": 2048, "irreducible": 60, "seconds": 1.1,
         "principal": list(principal)},
    ]  # fmt: skip
    return {
        "mesh": [8, 8, 8],
        "mesh_rule": "spacing",
        "mesh_length": 28.5,
        "mesh_points": 2048,
        "mesh_steps": steps,
        "change": change,
        "changes": [change, change, change],
        "error": round(3 * change, 3),
        "converged": converged,
    }


def kappa_label(phonons: PhononResult, method: str, mesh: dict[str, Any]) -> list[str]:
    """The trust label of such a tensor."""
    plan = phonons.plan
    words = MeshWords(
        numbers=mesh["mesh"],
        rule=mesh["mesh_rule"],
        length=mesh["mesh_length"],
        meant=25.0,
        change=mesh.get("change"),
        error=mesh.get("error"),
        converged=mesh.get("converged"),
        lengths=tuple(step["length"] for step in mesh.get("mesh_steps", ())),
    )
    label = trust_label(
        source=phonons.source,
        version="",
        method=method,
        mesh=words,
        temperature=300.0,
        dynamical=phonons.dynamical,
        symmetry_kept=plan.symmetry_kept,
        dimensionality=plan.dimensionality,
        supercell="3×3×3",
        pair_cutoff=3.0,
    )
    return list(label)
