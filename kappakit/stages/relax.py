"""Relax: crystals to local minima of the potential; what leaves the potential's trust is rejected with the reason."""

from __future__ import annotations

import numpy as np

from kappakit.errors import Rejected
from kappakit.ports import Engines, Potential, RelaxedCrystal
from kappakit.protocol import RelaxSettings
from kappakit.relaxation import NOT_CONVERGED, deviations, require_trust, soap_distances
from kappakit.stages.contracts import Deviations, Item, Refusal, RelaxedItem, RelaxInputs, RelaxOutputs


def run(inputs: RelaxInputs, settings: RelaxSettings, *, engines: Engines) -> RelaxOutputs:
    """Relax all items in one batch; each ends as relaxed or rejected."""
    potential = engines.potential(inputs.potential)
    ends = potential.relax([item.crystal for item in inputs.items], settings, engines.progress)
    relaxed, rejected = [], []
    distances = soap_distances([end.crystal for end in ends], potential)
    for item, end, distance in zip(inputs.items, ends, distances, strict=True):
        try:
            _require_end(end, potential, distance)
        except Rejected as refused:
            rejected.append(Refusal(item.id, refused.reason, str(refused)))
        else:
            relaxed.append(_item(item, end, distance))
    return RelaxOutputs(
        tuple(relaxed), tuple(rejected), potential.version, potential.precision, compiled=potential.compiled
    )


def _require_end(end: RelaxedCrystal, potential: Potential, soap_distance: float | None) -> None:
    require_trust(end.crystal, potential.trust, soap_distance)
    if not end.converged:
        force = _max_force(end)
        raise Rejected(NOT_CONVERGED, f"not relaxed after {end.steps} steps; largest force {force:.3g} eV/Å")


def _item(item: Item, end: RelaxedCrystal, soap_distance: float | None) -> RelaxedItem:
    lengths, angles, volume, positions = deviations(item.crystal, end.crystal)
    return RelaxedItem(
        id=item.id,
        crystal=end.crystal,
        energy_per_atom=end.evaluation.energy / end.crystal.n_atoms,
        max_force=_max_force(end),
        stress=end.evaluation.stress,
        steps=end.steps,
        converged=end.converged,
        deviations=Deviations(_triple(lengths), _triple(angles), volume, positions),
        soap_distance=soap_distance,
    )


def _max_force(end: RelaxedCrystal) -> float:
    return float(np.linalg.norm(end.evaluation.forces, axis=1).max())


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    a, b, c = (float(value) for value in values)
    return a, b, c
