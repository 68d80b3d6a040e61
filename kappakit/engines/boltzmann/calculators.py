"""phono3py's calculators of κ_L with the linewidths and collisions of this package: its transport type 'torch'."""

from __future__ import annotations

from typing import Any

import numpy as np
from phono3py.conductivity.build_components import CalculatorConfig, build_rot_grid_points
from phono3py.conductivity.factory import _REGISTRY as REGISTRY

from kappakit.engines.boltzmann.collisions import TorchCollisionSolver
from kappakit.engines.boltzmann.interaction import TorchInteraction
from kappakit.engines.boltzmann.linewidths import TorchScatteringSolver
from kappakit.engines.boltzmann.weights import Tetrahedra

TRANSPORT = "torch"


def register() -> None:
    """Let `run_thermal_conductivity(transport_type='torch')` find the calculators."""
    REGISTRY[f"{TRANSPORT}-rta"] = _rta
    REGISTRY[f"{TRANSPORT}-lbte"] = _lbte


def _rta(interaction: TorchInteraction, config: CalculatorConfig) -> Any:
    """phono3py's standard calculator with our linewidths where it asks for nothing that they do not know."""
    calculator = REGISTRY["std-rta"](interaction, config)
    if _plain(interaction, config):
        calculator._scattering_solver = TorchScatteringSolver(interaction, Tetrahedra(interaction), config.temperatures)
    return calculator


def _lbte(interaction: TorchInteraction, config: CalculatorConfig) -> Any:
    """phono3py's standard calculator with our rows of the collision matrix."""
    calculator = REGISTRY["std-lbte"](interaction, config)
    if _plain(interaction, config):
        rotated, rotations = _stars(interaction, calculator.kappa_settings)
        calculator._collision_solver = TorchCollisionSolver(
            interaction, Tetrahedra(interaction), config.temperatures, rotated, rotations
        )
    return calculator


def _plain(interaction: TorchInteraction, config: CalculatorConfig) -> bool:
    """Tetrahedra instead of smearing, and no output besides linewidths and κ_L."""
    asked = (
        config.is_full_pp, config.use_ave_pp, config.read_pp, config.store_pp, config.is_N_U, config.is_gamma_detail,
        config.is_reducible_collision_matrix, interaction.symmetrize_fc3q,
        interaction.constant_averaged_interaction is not None,
    )  # fmt: skip
    ascending = np.all(np.diff(interaction.band_indices) > 0)
    return list(config.sigmas) == [None] and not any(asked) and bool(ascending)


def _stars(interaction: TorchInteraction, settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """((irreducible points, operations) of the generalized regular grid, (operations, 3, 3) in Cartesian axes)."""
    rotated = build_rot_grid_points(settings)
    rotations = interaction.bz_grid.rotations_cartesian if settings.is_kappa_star else np.eye(3)[None]
    return interaction.bz_grid.bzg2grg[rotated], rotations
