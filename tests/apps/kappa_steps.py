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
from kappakit.stages import contracts as c
from tests.apps.rows import a_crystal

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
        "mesh": (10, 10, 10),
        "q_points": 47,
        "expected_bte_minutes": 0.25,
        "expected_lbte_minutes": 2.0,
        "expected_memory": 0.5,
        "shells": (c.Shell(1.545, 4, False), c.Shell(2.958, 12, True)),
        "dimensionality": 3,
    } | facts
    return c.KappaPlanItem(**values)


def conductivity_outputs(kappa: float, *, dynamical: str = "stable", methods: tuple[str, ...] = ("RTA",)) -> Any:
    temperatures = np.array([100.0, 300.0, 500.0])
    principal = np.array([[9.0, 6.0, 3.0], [3.0, 2.0, 1.0], [1.5, 1.0, 0.5]]) * kappa / 3
    tensors = tuple(
        c.Tensor(
            method=method,
            mesh=(10, 10, 10),
            temperatures=temperatures,
            kappa=np.array([np.diag(row) for row in principal]),
            principal=principal,
            directions=np.broadcast_to(np.eye(3), (3, 3, 3)).copy(),
            uvw=("[001]", "any direction in the plane ⊥ [001]", "any direction in the plane ⊥ [001]"),
            seconds=2.0,
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
    )
