"""Steps and outputs of planning and conductivity, of true shape: what the tests of the upper apps save."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.campaigns.models import Campaign, Step, StepState
from apps.conductivity.stages import BINDINGS
from apps.jobs.bindings import Binding
from apps.jobs.models import Job
from apps.jobs.services import enqueue
from apps.structures.models import Candidate
from kappakit.convergence import Mesh, MeshStep, convergence
from kappakit.stages import contracts as c
from tests.apps.rows import a_crystal

MESHES = (
    Mesh("spacing", (6, 6, 6), ((-6, 6, 6), (6, -6, 6), (6, 6, -6)), 21.4),
    Mesh("spacing", (8, 8, 8), ((-8, 8, 8), (8, -8, 8), (8, 8, -8)), 28.5),
)
NAMED: dict[str, Binding] = {binding.name: binding for binding in BINDINGS}


def a_step(campaign: Campaign, name: str, candidates: list[Candidate], sweep: int = 0) -> Step:
    return Step.objects.create(
        campaign=campaign, name=name, sweep=sweep, candidates=[candidate.pk for candidate in candidates]
    )


def jobs_of(step: Step) -> list[Job]:
    plan = NAMED[step.name].plan
    assert plan is not None
    return enqueue(plan(step.pk), group=f"step:{step.pk}")


def reported(step: Step) -> dict[str, Any]:
    report = NAMED[step.name].report
    assert report is not None
    step.report = report(step.pk)
    step.state = StepState.DONE
    step.save()
    return step.report


def plan_item(candidate: Candidate, **facts: Any) -> c.KappaPlanItem:
    values = {
        "id": str(candidate.pk),
        "primitive": a_crystal(0.9 + candidate.index * 1e-3),
        "number": 227,
        "symbol": "Fd-3m",
        "energy_change": -0.2,
        "max_force": 1e-5,
        "max_stress": 1e-3,
        "symmetry_kept": True,
        "supercells_fc3": 95,
        "supercells_fc2": 1,
        "atoms_per_supercell": 54,
        "pairs_omitted": 24,
        "evaluations": 5184,
        "supercell": ((3, 0, 0), (0, 3, 0), (0, 0, 3)),
        "mesh": MESHES[1],
        "q_points": 85,
        "expected_force_minutes": 0.1,
        "expected_bte_minutes": 0.15,
        "expected_lbte_minutes": 2.0,
        "expected_memory": 0.5,
        "shells": (c.Shell(1.545, 4, False), c.Shell(2.958, 12, True)),
        "dimensionality": 3,
        "promise": 1500.0,
        "promise_method": "Slack's formula from elastic constants",
    } | facts
    return c.KappaPlanItem(**values)


def conductivity_outputs(
    kappa: float, *, dynamical: str = "stable", methods: tuple[str, ...] = ("RTA",), change: float = 0.02
) -> Any:
    """`change`: the share of κ_L that the last step of the mesh brought."""
    temperatures = np.array([100.0, 300.0, 500.0])
    principal = np.array([[9.0, 6.0, 3.0], [3.0, 2.0, 1.0], [1.5, 1.0, 0.5]]) * kappa / 3
    at_300 = np.diag(principal[1])
    steps = tuple(
        MeshStep(mesh, points, share * at_300, 1.0)
        for mesh, points, share in zip(MESHES, (44, 85), (1 - change, 1.0), strict=True)
    )
    tensors = tuple(
        c.Tensor(
            method=method,
            mesh=MESHES[1],
            temperatures=temperatures,
            kappa=np.array([np.diag(row) for row in principal]),
            principal=principal,
            directions=np.broadcast_to(np.eye(3), (3, 3, 3)).copy(),
            uvw=("[001]", "any direction in the plane ⊥ [001]", "any direction in the plane ⊥ [001]"),
            seconds=2.0,
            steps=steps,
            convergence=convergence(steps),
        )
        for method in methods
    )
    ones = np.ones((2, 6))
    return c.ConductivityOutputs(
        id="1",
        primitive=a_crystal(0.95),
        verdict=c.PhononVerdict(dynamical, 0.0, 0.0, -0.01, 0.0),
        bands=c.Bands(np.array([0.0, 0.1]), ones, ((0.0, "Γ"), (0.1, "X")), (1,)),
        dos=c.Dos(np.array([0.0, 1.0]), np.array([0.0, 6.0])),
        tensors=() if dynamical == "imaginary" else tensors,
        modes=c.ModeData(ones, ones, ones, np.array([1, 3]), np.array([10.0, 100.0]), np.array([1.0, 2.0])),
        residuals=c.Residuals(1e-10, 1e-9, 1e-11, 1e-10, 2e-5),
        notes=("a note",),
        nac="not needed",
        files={"fc3": "fc3.hdf5"},
        engine_version="phono3py 4.9",
        seconds=12.0,
        parts={"forces": 4.0, "Boltzmann equation": 8.0},
        fit=c.Fit("systematic", 95),
    )
