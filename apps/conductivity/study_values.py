"""What a convergence study may vary: fields of the settings, bounds, values to begin with, expected times. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.errors import ApplicationError
from kappakit.protocol import ConductivitySettings, field_facts
from kappakit.stages.table import STAGES

STAGE = "kappa_study"
MESH, CUTOFF, SUPERCELL, DISPLACEMENT = "mesh", "cutoff", "supercell", "displacement"
PARAMETERS = (MESH, CUTOFF, SUPERCELL, DISPLACEMENT)
FEWEST, MOST = 2, 12
REPETITIONS = "repetitions"
FC2_WIDTH = "fc2_width"
MESH_POWER = 6
"""The triplets of q-points grow with the square of their number, and that with the third power of the length."""
LONG_RANGE = 6
"""Pairs and triplets of atoms without a cutoff grow with the square of their number."""
SHORT_RANGE = 3
ONLY_WHEN = {"max_minutes", "max_sweep_minutes", "max_campaign_minutes"}
"""Settings that decide whether something is computed, never what comes of it."""


class StudyRefused(ApplicationError):
    """The values cannot be a series; `detail`: field → what is wrong with it."""

    code = "study_refused"
    status = 400


@dataclass(frozen=True)
class Varied:
    """A parameter as it stands in some settings. `fields` change together; low, high, present in `unit`."""

    name: str
    title: str
    fields: tuple[str, ...]
    unit: str
    low: float
    high: float
    present: float
    about: str

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are values."""
        return self.unit == REPETITIONS

    @property
    def label(self) -> str:
        """'Mesh length (Å)'."""
        return f"{self.title} ({self.unit})"


@dataclass(frozen=True)
class Expected:
    """Minutes of one κ_L on one mesh by the present settings: its forces, and the Boltzmann equation (RTA)."""

    forces: float
    equation: float


def varied(name: str, settings: ConductivitySettings) -> Varied:
    """The parameter for these settings: which field it is depends on how supercells and displacements are chosen."""
    title, fields = _fields(name, settings)
    facts = field_facts(settings, fields[0])
    low = facts.low or 0.0
    return Varied(
        name=name,
        title=title,
        fields=fields,
        unit=facts.unit or REPETITIONS,
        low=low,
        high=facts.high if facts.high is not None else math.inf,
        present=float(getattr(settings, fields[0])),
        about=facts.help,
    )


def _fields(name: str, settings: ConductivitySettings) -> tuple[str, tuple[str, ...]]:
    random = settings.displacements == "random"
    if name == CUTOFF:
        return ("Cutoff of FC3", ("fc3_cutoff",)) if random else ("Pair cutoff", ("pair_cutoff",))
    if name == SUPERCELL:
        repeat = settings.supercell_rule == "repeat"
        return (
            ("Supercell", ("fc3_supercell", "fc2_supercell"))
            if repeat
            else ("Supercell width", ("fc3_width", FC2_WIDTH))
        )
    if name == DISPLACEMENT:
        return "Displacement", ("random_displacement",) if random else ("displacement",)
    return "Mesh length", ("mesh_length",)


def first_values(parameter: Varied) -> tuple[float, ...]:
    """Values to begin with, about the present one, ascending."""
    wanted = [rounded(value) for value in _about(parameter)]
    return tuple(sorted({value for value in wanted if _inside(value, parameter)}))


def _about(parameter: Varied) -> Sequence[float]:
    present = parameter.present
    if parameter.name == MESH:
        return [0.6 * present, 0.8 * present, present, 1.2 * present]
    if parameter.name == CUTOFF:
        middle = present or 3.0
        return [middle - 1.0, middle - 0.5, middle, middle + 0.5, middle + 1.0]
    if parameter.name == DISPLACEMENT:
        return [present / 3, 2 * present / 3, present, 4 * present / 3, 5 * present / 3]
    if parameter.whole:
        return [present - 1, present, present + 1]
    return [0.75 * present, present, 1.25 * present, 1.5 * present]


def rounded(value: float) -> float:
    """To four significant digits: no value is meant more precisely."""
    return float(f"{value:.4g}")


def checked(values: Sequence[float], parameter: Varied) -> tuple[float, ...]:
    """The values, ascending. Raises StudyRefused that says what is wrong with them."""
    problem = _problem(list(values), parameter)
    if problem:
        raise StudyRefused(f"values: {problem}", detail={"values": problem})
    return tuple(sorted(float(value) for value in values))


def _problem(values: list[float], parameter: Varied) -> str:
    if not FEWEST <= len(values) <= MOST:
        return f"give {FEWEST} to {MOST} values, not {len(values)}."
    for value in values:
        if why := _value_problem(value, parameter):
            return why
    twice = sorted({value for value in values if values.count(value) > 1})
    return f"{twice[0]:g} is given twice." if twice else ""


def _value_problem(value: float, parameter: Varied) -> str:
    if parameter.name == CUTOFF and value == 0:
        return "0 stands for no cutoff and has no place on an axis: give lengths in Å."
    if not _inside(value, parameter):
        return f"{value:g} lies outside {parameter.low:g} to {parameter.high:g} {parameter.unit}."
    if parameter.whole and value != int(value):
        return f"{value:g} is not a whole number of repetitions."
    return ""


def _inside(value: float, parameter: Varied) -> bool:
    return math.isfinite(value) and value > 0 and parameter.low <= value <= parameter.high


def altered(settings: Mapping[str, Any], parameter: Varied, value: float) -> dict[str, Any]:
    """The snapshot of settings with `value` in the parameter's fields; a whole number where they hold one.

    FC2's supercell is never made narrower than it is: at the present value nothing changes.
    """
    changed = {**settings, **dict.fromkeys(parameter.fields, int(value) if parameter.whole else float(value))}
    if FC2_WIDTH in parameter.fields:
        changed[FC2_WIDTH] = max(float(value), settings[FC2_WIDTH])
    return changed


def point_digest(primitive: str, potential: str, settings: Mapping[str, Any]) -> str:
    """sha256 of all that decides a point: cell, potential, settings, the stage's version."""
    decisive = {name: value for name, value in settings.items() if name not in ONLY_WHEN}
    content = [STAGES[STAGE].version, primitive, potential, decisive]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def expected_minutes(value: float, parameter: Varied, present: Expected, settings: ConductivitySettings) -> float:
    """About how many minutes one value takes, from what the present settings are expected to take."""
    forces, equation = _growth(parameter, settings)
    reference = parameter.present or 3.0
    ratio = value / reference
    return present.forces * ratio**forces + present.equation * ratio**equation


def _growth(parameter: Varied, settings: ConductivitySettings) -> tuple[int, int]:
    """The powers of the value with which forces and the Boltzmann equation grow.

    A wider supercell has more atoms; without a cutoff also more pairs to displace and triplets to visit. A longer
    cutoff has more pairs; a fit to random displacements more unknowns, a number for each triplet within it.
    """
    random = settings.displacements == "random"
    if parameter.name == MESH:
        return 0, MESH_POWER
    if parameter.name == CUTOFF:
        return (LONG_RANGE, LONG_RANGE) if random else (SHORT_RANGE, SHORT_RANGE)
    if parameter.name == SUPERCELL:
        bounded = settings.fc3_cutoff if random else settings.pair_cutoff
        return (SHORT_RANGE, SHORT_RANGE) if bounded else (LONG_RANGE, LONG_RANGE)
    return 0, 0
