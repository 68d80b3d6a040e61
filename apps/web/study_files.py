"""A convergence study as a file: CSV with units in its header, JSON with a map of them."""

from __future__ import annotations

import csv
import dataclasses
import json
from datetime import datetime
from io import StringIO
from typing import Any

from apps.conductivity.selectors.study_facts import StudyFacts, StudyPointFacts

KAPPA = "W/(m·K)"


def study_csv(study: StudyFacts) -> str:
    """One line a point; empty cells where nothing is known."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_header(study))
    writer.writerows(_row(point) for point in study.points)
    return text.getvalue()


def study_json(study: StudyFacts) -> str:
    """Everything of it."""
    told = _plain(dataclasses.asdict(study)) | {"units": units(study)}
    return json.dumps(told, ensure_ascii=False, indent=1)


def units(study: StudyFacts) -> dict[str, str]:
    """Path of a number → its unit."""
    return {
        "present": study.unit,
        "temperature": "K",
        "minutes_left": "min",
        "points.value": study.unit,
        "points.expected_minutes": "min",
        "points.principal": KAPPA,
        "points.change": "1",
        "points.mesh_length": "Å",
        "points.lowest": "THz",
        "points.seconds": "s",
    }


def _header(study: StudyFacts) -> list[str]:
    return [
        study.label, "state", *(f"kappa {i} ({KAPPA})" for i in (1, 2, 3)), "direction 1", "direction 2", "direction 3",
        "change of kappa 1 (share)", "mesh", "mesh length (Å)", "q-points", "irreducible q-points", "supercells",
        "atoms a supercell", "atom evaluations", "phonons", "lowest frequency (THz)", "time (s)", "note",
    ]  # fmt: skip


def _row(point: StudyPointFacts) -> list[Any]:
    return [
        f"{point.value:g}", point.state, *_three(point.principal), *_three(point.uvw), point.change,
        "x".join(map(str, point.mesh)), point.mesh_length, point.mesh_points, point.irreducible, point.supercells,
        point.atoms_per_supercell, point.evaluations, point.dynamical, point.lowest, point.seconds,
        point.error or point.note,
    ]  # fmt: skip


def _three(values: tuple[Any, ...]) -> list[Any]:
    return [*values, *[None] * (3 - len(values))]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
