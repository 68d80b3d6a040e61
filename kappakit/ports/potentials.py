"""Potentials and committees of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports.progress import Progress
from kappakit.protocol import RelaxSettings


@dataclass(frozen=True)
class PotentialRef:
    """Which potential: an engine's name in `kappakit.engines.registry` and the folder of its stored model.

    `folder` holds `model.safetensors`, `model.json` (configuration) and `card.json`; it is empty for an engine
    that needs no files (an analytic one). `sha256` is the digest of the weights, "" for an analytic one.
    """

    engine: str
    name: str
    folder: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class TrustLimits:
    """Where a potential may be believed; outside, a crystal is Rejected. Lengths Å, volumes Å³/atom."""

    min_distance: float = 1.0
    min_volume: float = 4.0
    max_volume: float = 30.0
    soap_distance: float | None = None
    """Largest believable SOAP distance of a crystal to its nearest training configuration (None: not checked)."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """energy eV per cell; forces (n_atoms, 3) eV/Å; stress (3, 3) eV/Å³, positive = tension (ASE's sign)."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray


@dataclass(frozen=True, eq=False)
class RelaxedCrystal:
    """End of a relaxation: the last geometry and its evaluation. `steps` taken; `converged` within the tolerances."""

    crystal: Crystal
    evaluation: Evaluation
    steps: int
    converged: bool


class Potential(Protocol):
    """Energies, forces and stresses of many crystals in one call, and their relaxation.

    Implementations never change their input, and give for a batch what they give one by one.
    """

    name: str
    """Shown to people, e.g. 'carbon-laptop'."""
    engine: str
    version: str
    """Engine and its libraries with versions, e.g. 'allegro (nequip 0.19.0, nequip-allegro 0.8.0)'."""
    sha256: str
    species: tuple[str, ...]
    """Chemical symbols it knows; empty: any."""
    precision: str
    """'float64' or 'float32': what forces are computed in."""
    compiled: bool
    trust: TrustLimits
    trust_descriptors: np.ndarray | None
    """(n, d) SOAP vectors of the training configurations, or None."""

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """Evaluate each crystal; raises InputError on an element it does not know."""

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        """Relax cell and positions of each crystal (batched where the engine can)."""


@dataclass(frozen=True, eq=False)
class CommitteeEvaluation:
    """m members on one crystal: energies (m,) eV per cell; forces (m, n_atoms, 3) eV/Å."""

    energies: np.ndarray
    forces: np.ndarray


class Committee(Protocol):
    """Several potentials of one architecture, evaluated together."""

    size: int

    def evaluate(self, crystals: Sequence[Crystal]) -> list[CommitteeEvaluation]:
        """All members on each crystal in one batched pass; raises InputError on an element that they do not know."""

    def member(self, index: int) -> Potential:
        """One member by itself, ready at once (never compiled: a member lives for one iteration)."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Spread against true error on labelled frames. By frame (f,): spread_energy and error_energy (of the mean over
    members, absolute) in meV/atom; spread_force (kappakit.committee) and error_force, the largest norm over atoms of
    the mean's error, in eV/Å. Over all frames: energy_mae meV/atom and force_rmse meV/Å (by component) of the mean, and
    of each member (m,); rank_*: Spearman's ρ of spread and error, 0 where it is not defined; ratio_energy: rms error
    over rms spread, 0 where there is no spread."""

    spread_energy: np.ndarray
    error_energy: np.ndarray
    spread_force: np.ndarray
    error_force: np.ndarray
    groups: tuple[str, ...]
    energy_mae: float
    force_rmse: float
    member_energy_mae: np.ndarray
    member_force_rmse: np.ndarray
    rank_energy: float
    rank_force: float
    ratio_energy: float
