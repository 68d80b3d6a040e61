"""Contracts of a convergence study: kappa_study."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.convergence import Mesh, Rows
from kappakit.crystals import Crystal
from kappakit.ports import PotentialRef


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """One point: the primitive cell as its plan left it; the value that is varied stands in the stage's settings."""

    id: str
    primitive: Crystal
    potential: PotentialRef


@dataclass(frozen=True, eq=False)
class StudyOutputs:
    """κ_L by RTA: principal (3,) W/(m·K) at the ranked temperature, descending, empty where it has none (`note` says
    why); uvw: its directions. `irreducible` q-points of the mesh; `supercells` evaluated, undisplaced ones too,
    `evaluations` = Σ over them of their atoms; `supercell` (3, 3) in the primitive cell's basis. dynamical as
    PhononVerdict, `lowest` frequency in THz; seconds of each part and of all."""

    id: str
    principal: tuple[float, ...]
    uvw: tuple[str, ...]
    mesh: Mesh
    irreducible: int
    supercell: Rows
    supercells: int
    atoms_per_supercell: int
    evaluations: int
    dynamical: str
    lowest: float
    note: str
    engine_version: str
    parts: dict[str, float]
    seconds: float
