"""Two real vasprun.xml that ASE ships, and the edits that make of them what a protocol can ask for.

vasprun_pstress.xml: diamond (a = 3.57 Å), LDA, VASP 6.3.0, at a pressure of 1 kbar. vasprun_dfpt.xml: NaCl, PBE, 6.3.2.
"""

from __future__ import annotations

from pathlib import Path

import ase.test
import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import LABEL, DftTask
from kappakit.protocol import DftSettings

FOLDER = Path(ase.test.__file__).parent / "testdata" / "vasp"
DIAMOND, SALT = FOLDER / "vasprun_pstress.xml", FOLDER / "vasprun_dfpt.xml"

FREE, SIGMA0 = -20.24695937, -20.24720095
"""eV, of diamond's last electronic step; at the end of the real file p·V = 0.0071 eV is added to both."""

DIAMOND_EDITS = (
    ('<i name="PSTRESS">      1.00000000</i>', '<i name="PSTRESS">      0.00000000</i>'),
    ("    -20.23985977 </i>\n   <i name", "    -20.24695937 </i>\n   <i name"),
    ("    -20.24010135 </i>\n  </energy>", "    -20.24720095 </i>\n  </energy>"),
    ('name="ISMEAR">     1<', 'name="ISMEAR">     0<'),
    ('name="PREC">normal<', 'name="PREC">accura<'),
    ('name="LASPH"> F ', 'name="LASPH"> T '),
    ("<v>       0.12500000       0.12500000       0.12500000 </v>", "<v> 0.00000000 0.00000000 0.00000000 </v>"),
)
"""Smearing, precision and mesh of the file are none that a protocol knows."""
SALT_EDITS = (
    ('name="LASPH"> F ', 'name="LASPH"> T '),
    ('name="LEPSILON"> T ', 'name="LEPSILON"> F '),
    ("PAW_PBE Na 08Apr2002", "PAW_PBE Na_pv 19Sep2006"),
)


def edited(path: Path, *edits: tuple[str, str]) -> str:
    """The file's text after the edits; each must be there."""
    text = path.read_text(encoding="latin-1")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def diamond_text(*edits: tuple[str, str]) -> str:
    """A run that `diamond_task` asks for, with further edits."""
    return edited(DIAMOND, *DIAMOND_EDITS, *edits)


def diamond_task(**settings: object) -> DftTask:
    half = 3.57 / 2.0
    cell = half * (np.ones((3, 3)) - np.eye(3))
    crystal = Crystal.from_symbols(cell, [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], ["C", "C"])
    return DftTask(LABEL, crystal, diamond_settings(**settings))


def diamond_settings(**changes: object) -> DftSettings:
    values: dict[str, object] = {
        "engine": "vasp",
        "functional": "LDA",
        "cutoff": 400.0,
        "k_spacing": 0.8,
        "spin": False,
        "smearing": "gaussian",
        "smearing_width": 0.2,
        "energy_tolerance": 1e-4,
    }
    return DftSettings(**(values | changes))  # type: ignore[arg-type]


def salt_task() -> DftTask:
    """Chlorine before sodium, the other way round than in the file; chlorine in another cell."""
    half = 2.72739551
    cell = half * (np.ones((3, 3)) - np.eye(3))
    crystal = Crystal.from_symbols(cell, [[-0.5, 0.5, 1.5], [0.0, 0.0, 1.0]], ["Cl", "Na"])
    settings = diamond_settings(functional="PBE", k_spacing=0.7, smearing_width=0.1, energy_tolerance=1e-7)
    return DftTask(LABEL, crystal, settings)
