"""Interaction strengths by torch as an Interactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phono3py
import torch

from kappakit.engines.boltzmann.calculators import TRANSPORT, register
from kappakit.engines.boltzmann.interaction import TorchInteraction

DIVIDE_AND_CONQUER = 5
"""phono3py's number of LAPACK's dsyevd for the collision matrix: a sixth of the time of dsyev, its own choice."""


class TorchInteractions:
    """Implements kappakit.ports.Interactions: double precision, on a GPU where there is one."""

    name = "torch"
    version = f"torch {torch.__version__} in phono3py {phono3py.__version__}"

    def __init__(self, device: str | None = None) -> None:
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    def prepare(self, calculation: Any, options: Mapping[str, Any]) -> dict[str, Any]:
        """Our Interaction, made from what phono3py would make its own from, and the transport type that uses it."""
        register()
        given = dict(options)
        direction = given.pop("nac_q_direction", None)
        interaction = TorchInteraction(
            calculation.primitive,
            calculation.grid,
            calculation.primitive_symmetry,
            device=self._device,
            fc3=calculation.fc3,
            fc3_nonzero_indices=calculation.fc3_nonzero_indices,
            band_indices=calculation._band_indices_flatten,
            frequency_factor_to_THz=calculation._frequency_factor_to_THz,
            cutoff_frequency=calculation._cutoff_frequency,
            is_mesh_symmetry=calculation._is_mesh_symmetry,
            make_r0_average=calculation._make_r0_average,
            lang=calculation.lang,
            **given,
        )
        interaction.nac_q_direction = direction
        calculation._interaction = interaction
        calculation._init_dynamical_matrix()
        return {"transport_type": TRANSPORT, "pinv_solver": DIVIDE_AND_CONQUER}
