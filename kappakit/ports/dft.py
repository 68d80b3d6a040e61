"""Engines of quantum mechanics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.ports.progress import Progress
from kappakit.protocol import DftRunSettings


@dataclass(frozen=True, eq=False)
class DftResult:
    """What a DFT calculation gave. `crystal`: the geometry that the numbers belong to (after a relaxation: its end).

    `energy` is the force-consistent (free) energy, `energy_sigma0` that extrapolated to zero smearing, both eV per
    cell on the method's own zero; forces (n, 3) eV/Å; stress (3, 3) eV/Å³, positive = tension, None where the code
    gives no correct one; `method` as kappakit.dft.method_of, `method_sha256` its digest; `gap` eV, None where it was
    not looked for; `steps`: ionic ones; `version`: engine and libraries; `notes`: what was done beside the settings.
    """

    crystal: Crystal
    energy: float
    energy_sigma0: float
    forces: np.ndarray
    stress: np.ndarray | None
    k_mesh: tuple[int, int, int]
    method: dict[str, Any]
    method_sha256: str
    version: str
    iterations: int
    steps: int = 0
    magnetic_moment: float | None = None
    gap: float | None = None
    notes: tuple[str, ...] = ()


class DftCode(Protocol):
    """An engine of quantum mechanics, or what is declared to stand for one."""

    name: str

    def version(self) -> str:
        """Engine, libraries and PAW sets; raises InputError that says what to install where it is missing."""

    def run(self, task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> DftResult:
        """Compute in `folder` (what an earlier attempt left there may be resumed); raises DftFailure."""


@runtime_checkable
class ReadableDftCode(DftCode, Protocol):
    """A DFT code whose own output file counts, wherever somebody ran it."""

    def read(self, path: Path, task: DftTask) -> DftResult:
        """The result in that file; raises InputError that lists every difference to what was asked, one a line."""
