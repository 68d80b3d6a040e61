"""How far VASP is, from OSZICAR: "DAV:   5  -0.2103E+02 …" for an electronic step, "   1 F= …" for an ionic."""

from __future__ import annotations

import re
from pathlib import Path

TAIL = 4096
_ELECTRONIC = re.compile(r"^\s*[A-Z]{3}\s*:\s*(\d+)\s+(\S+)", re.MULTILINE)
_IONIC = re.compile(r"^\s*(\d+)\s+F=", re.MULTILINE)


def steps_done(oszicar: Path) -> tuple[int, int, float] | None:
    """Ionic steps that are finished, electronic steps of the present one, its energy in eV; None: nothing yet."""
    try:
        with oszicar.open("rb") as lines:
            lines.seek(max(0, oszicar.stat().st_size - TAIL))
            text = lines.read().decode(errors="replace")
    except FileNotFoundError:
        return None
    electronic, ionic = _ELECTRONIC.findall(text), _IONIC.findall(text)
    if not electronic:
        return None
    step, energy = electronic[-1]
    return int(ionic[-1]) if ionic else 0, int(step), _number(energy)


def _number(text: str) -> float:
    """Fortran prints stars where a number does not fit."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
