"""What a candidate's page draws and writes, from its dossier alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from apps.reviews.dossier import CandidateDossier, TensorFacts, ValidationFacts
from apps.web.figures.cell import cell_views
from apps.web.figures.conductivity import kappa_cumulative, kappa_meshes, kappa_temperature
from apps.web.figures.phonons import bands_beside, bands_dos
from kappakit import writing
from kappakit.crystals import Crystal

WRITERS: dict[str, Callable[[Crystal, str], str]] = {
    "cif": writing.cif,
    "poscar": writing.poscar,
    "extxyz": lambda crystal, name: writing.extxyz(crystal, {"name": name}),
}


def figures_of(dossier: CandidateDossier) -> dict[str, Any]:
    """The page's figures as JSON; those that nothing is known for are absent."""
    figures: dict[str, Any] = {"cells": cell_views(_cells(dossier))}
    if dossier.phonons:
        figures["bands"] = bands_dos(dossier.phonons.bands, dossier.phonons.dos)
    if dossier.tensors:
        figures["kappa_temperature"] = kappa_temperature(dossier.tensors)
    if dossier.tensors and dossier.phonons and dossier.phonons.cumulative:
        figures["cumulative"] = kappa_cumulative(dossier.phonons.cumulative, dossier.tensors[0].temperature)
    return figures


def validation_rows(validations: Iterable[ValidationFacts]) -> list[dict[str, Any]]:
    """Each validation with its figure, where it has bands of its own."""
    return [{"facts": facts, "figure": _validation_figure(facts)} for facts in validations]


def _validation_figure(facts: ValidationFacts) -> dict[str, Any] | None:
    if facts.bands is None or facts.overlay is None:
        return None
    return bands_beside(facts.bands, facts.overlay, name=facts.source, overlay_name=facts.potential.name)


def tensor_rows(dossier: CandidateDossier) -> list[dict[str, Any]]:
    """Each method's tensor at the ranked temperature, principal values beside their directions, and its figure over
    the meshes that were tried."""
    return [
        {
            "facts": tensor,
            "matrix": _at_ranked(tensor),
            "meshes": _meshes_figure(tensor),
            "ratio": _ratio(tensor, dossier),
            "principal": [
                {"value": value, "uvw": words, "direction": direction}
                for value, words, direction in zip(tensor.principal, tensor.uvw, tensor.directions, strict=True)
            ],
        }
        for tensor in dossier.tensors
    ]


def written(dossier: CandidateDossier, kind: str) -> str:
    """The displayed crystal as 'cif' | 'poscar' | 'extxyz' text."""
    return WRITERS[kind](dossier.displayed.crystal, f"{dossier.name} (candidate {dossier.id})")


def dossier_json(dossier: CandidateDossier) -> str:
    """The whole dossier as JSON; units stand in the fields' documentation."""
    return json.dumps(_plain(dossier), ensure_ascii=False, indent=1)


def _cells(dossier: CandidateDossier) -> dict[str, Crystal]:
    """What the viewer offers: conventional cell first where symmetry is known, then the relaxed and the start cell."""
    cells: dict[str, Crystal] = {}
    if dossier.symmetry:
        cells["conventional"] = dossier.symmetry.conventional.crystal
        cells["primitive"] = dossier.symmetry.primitive.crystal
    cells["relaxed" if dossier.relaxed else "as it arrived"] = dossier.displayed.crystal
    return cells


def _meshes_figure(tensor: TensorFacts) -> dict[str, Any] | None:
    return kappa_meshes(tensor.mesh_steps, tensor.tolerance or 0.0) if len(tensor.mesh_steps) > 1 else None


def _ratio(tensor: TensorFacts, dossier: CandidateDossier) -> float | None:
    """κ_L over its estimate before computing; None where there is none."""
    promise = dossier.plan.promise if dossier.plan else None
    return tensor.largest / promise if promise else None


def _at_ranked(tensor: TensorFacts) -> list[list[float]]:
    at = int(np.argmin(np.abs(np.array(tensor.temperatures) - tensor.temperature)))
    return tensor.kappa[at]


def _plain(value: Any) -> Any:
    if isinstance(value, Crystal):
        return value.to_dict()
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
