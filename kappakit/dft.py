"""What a DFT calculation is: its inputs as canonical text, the method that fixes its zero, what it may cost.

The sha256 of the text is what an approver approves. Run settings (cores, time, mixing) are no part of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from math import ceil
from typing import Any

import numpy as np

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.protocol import DftRunSettings, DftSettings

LABEL, RELAX = "label", "relax"
TASKS = (LABEL, RELAX)
"""One calculation at fixed geometry, or a relaxation of cell and positions."""
DECIMALS = 10
"""Of cell (Å) and fractional positions in the canonical text."""
HASHED = tuple(
    name
    for name in (field.name for field in fields(DftSettings))
    if name not in ("surrogate", "tight_tolerance", "validation_supercell", "validation_displacement")
)
"""Settings that are part of the inputs; `surrogate` stands there by the digest of its weights instead."""
VALENCE = {1: 1, 5: 3, 6: 4, 7: 5, 8: 6, 13: 3, 14: 4, 15: 5, 31: 13, 32: 14, 33: 5}
"""Valence electrons of the usual PAW sets; others are guessed, roughly: only estimates use it."""


@dataclass(frozen=True, eq=False)
class DftTask:
    """One calculation. `oracle`: sha256 of the surrogate's weights, "" for a DFT code.

    `settings` holds the fields of HASHED; energy_tolerance is already the one that applies to this task.
    """

    task: str
    crystal: Crystal
    settings: DftSettings
    oracle: str = ""

    def text(self) -> str:
        """The canonical inputs: JSON, sorted, numbers rounded, the same for equal calculations."""
        chosen = asdict(self.settings)
        content = {
            "schema": 1,
            "task": self.task,
            "settings": {name: chosen[name] for name in HASHED},
            "oracle": self.oracle,
            "cell": _rounded(self.crystal.cell),
            # Wrapped after the rounding too: 0.99999999999 is written as 0 and not as 1.
            "frac": _rounded(np.round(self.crystal.frac, DECIMALS) % 1.0),
            "numbers": self.crystal.numbers.tolist(),
        }
        return json.dumps(content, sort_keys=True, indent=1)

    @classmethod
    def from_text(cls, text: str) -> DftTask:
        """The inverse of text; raises InputError for anything else."""
        try:
            data = json.loads(text)
            settings = DftSettings(**data["settings"])
            crystal = Crystal(np.array(data["cell"]), np.array(data["frac"]), np.array(data["numbers"]))
            task, oracle = str(data["task"]), str(data["oracle"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"these are not the inputs of a DFT calculation: {error}") from error
        if task not in TASKS or data.get("schema") != 1:
            raise InputError(f"a DFT calculation of another kind or time: {task!r}")
        return cls(task, crystal, settings, oracle)


def inputs_sha256(text: str) -> str:
    """What an approval is bound to: sha256 of the text in UTF-8, as PostgreSQL's trigger computes it."""
    return hashlib.sha256(text.encode()).hexdigest()


def method_of(settings: DftSettings, *, engine_version: str, paw: str, oracle: str = "") -> dict[str, Any]:
    """All that fixes a label's zero and quality; `paw`: name and digest of the PAW sets.

    The k rule is applied to each cell, so the rule is part of it and not the mesh.
    """
    return {
        "engine": settings.engine,
        "version": engine_version,
        "functional": settings.functional,
        "paw": paw,
        "cutoff_ev": settings.cutoff,
        "k_rule": f"Γ-centred, spacing {settings.k_spacing:g} 1/Å with 2π, for each cell",
        "smearing": f"{settings.smearing} {settings.smearing_width:g} eV",
        "spin": settings.spin,
        "oracle": oracle,
    }


def surrogate_version(potential: str, engine: str) -> str:
    """What stands for the engine's version where a potential stands for DFT: its name (that on its card) and engine."""
    return f"{potential}, {engine}"


def surrogate_method(settings: DftSettings, *, version: str, oracle: str) -> dict[str, Any]:
    """method_of for a potential that stands for DFT; `version` by surrogate_version, `oracle` its digest."""
    return method_of(settings, engine_version=version, paw="none", oracle=oracle)


def method_digest(method: dict[str, Any]) -> str:
    """Labels of two digests never share a fit without an offset for each."""
    return hashlib.sha256(json.dumps(method, sort_keys=True).encode()).hexdigest()


def k_mesh(cell: np.ndarray, spacing: float) -> tuple[int, int, int]:
    """Γ-centred mesh with points at most `spacing` (1/Å, with 2π) apart along each reciprocal vector of `cell` (3, 3).

    VASP's rule for KSPACING: max(1, ceil(|b_i| 2π / spacing)).
    """
    lengths = 2.0 * np.pi * np.linalg.norm(np.linalg.inv(cell).T, axis=1)
    first, second, third = (max(1, ceil(length / spacing - 1e-9)) for length in lengths)
    return first, second, third


def electrons(crystal: Crystal) -> int:
    """Valence electrons of the cell."""
    return sum(VALENCE.get(int(z), int(z) % 10 + 2) for z in crystal.numbers)


def effort(task: DftTask) -> float:
    """A calculation's size, without unit: electrons² × k points × spins × (cutoff / 600 eV)^1.5, ten for a relaxation.

    Time reversal halves the k points. With what finished calculations took it estimates core-hours.
    """
    mesh = k_mesh(task.crystal.cell, task.settings.k_spacing)
    points = max(1.0, float(np.prod(mesh)) / 2.0)
    spins = 2.0 if task.settings.spin else 1.0
    steps = 10.0 if task.task == RELAX else 1.0
    return electrons(task.crystal) ** 2 * points * spins * (task.settings.cutoff / 600.0) ** 1.5 * steps


EFFORT_PER_CORE_HOUR = {"gpaw": 1.0e6, "vasp": 3.0e6, "surrogate": 1.0e10}
"""Before anything finished here: a guess for a laptop's core, and marked "no history" wherever it is shown."""

RETRIES = {"input": 0, "not_converged": 2, "walltime": 1, "memory": 1, "lost": 3, "engine": 1}
"""Class of a failure → how often an attempt that failed so is tried again."""


def next_try(kind: str, earlier: int, run: DftRunSettings) -> DftRunSettings | None:
    """The run settings of the next attempt after the `earlier`-th failure of this kind (counted from 0); None: no more.

    Another smearing would be another result, so it is never tried here.
    """
    if earlier >= RETRIES.get(kind, 0):
        return None
    values = asdict(run)
    if kind == "not_converged":
        values |= {"mixing": run.mixing / 2, "max_iterations": min(run.max_iterations * 2, 10_000)}
    if kind == "walltime":
        values["walltime"] = min(run.walltime * 2, 20_160.0)
    if kind == "memory":
        values["memory"] = min(run.memory * 2, 4096.0)
    return DftRunSettings(**values)


def _rounded(array: np.ndarray) -> list[Any]:
    return (np.round(array, DECIMALS) + 0.0).tolist()
