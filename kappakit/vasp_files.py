"""The input files of VASP for one DFT calculation, as text. Light: a web process shows them and offers them.

Tags as in the VASP wiki (https://www.vasp.at/wiki): vdW-DF functionals, KSPACING, ISMEAR, EDIFFG, AMIX. POTCAR files
are licensed, so the files name the PAW sets and never hold them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import RELAX, DftTask, inputs_sha256
from kappakit.elements import SYMBOLS
from kappakit.errors import InputError
from kappakit.protocol import DftRunSettings

Tag = str | int | float | bool

FUNCTIONALS: dict[str, dict[str, Tag]] = {
    "optB88-vdW": {"GGA": "BO", "PARAM1": 0.1833333333, "PARAM2": 0.22, "LUSE_VDW": True, "AGGAC": 0.0},
    "PBE": {"GGA": "PE"},
    "LDA": {"GGA": "CA"},
}
"""optB88-vdW: Klimeš, Bowler, Michaelides, J. Phys.: Condens. Matter 22, 022201 (2010); in VASP: Phys. Rev. B 83,
195131 (2011)."""
PAW_FAMILY = {"optB88-vdW": "PBE", "PBE": "PBE", "LDA": "LDA"}
"""Whose PAW sets (release 54) a functional takes; there are none for vdW-DF, PBE's are the usual choice."""
PAW_RELEASE = "54"
ISMEAR = {"fermi-dirac": -1, "gaussian": 0}
MIXING, AMIX, AMIX_MAG = DftRunSettings().mixing, 0.4, 1.6
"""Our default of the mixing, and what VASP takes by default; another mixing scales both."""
IONIC_STEPS = 200
_SUFFIXES = {
    "_sv": "Li Be K Ca Sc Rb Sr Y Zr Cs Ba W Fr Ra",
    "_pv": "Na Mg Ti V Cr Mn Fe Ni Cu Nb Mo Tc Ru Rh Hf Ta Re Os",
    "_d": "Ga Ge In Sn Tl Pb Po",
    "_3": "Pr Nd Pm Sm Tb Dy Ho Er Tm Yb Lu",
}
PAW_NAMES = {symbol: symbol + suffix for suffix, symbols in _SUFFIXES.items() for symbol in symbols.split()}
"""Symbol → PAW set where it is not the symbol itself, as the Materials Project takes them from release 54."""


@dataclass(frozen=True, eq=False)
class Layout:
    """How a crystal stands in POSCAR. `atoms` (n,): index in the crystal of each atom in the file, species together;
    `axes` (3,): lattice vector of the crystal behind each of the file's (VASP takes right-handed cells only, so a
    left-handed one is written with the last two exchanged, which is its own inverse)."""

    atoms: np.ndarray
    axes: tuple[int, int, int]

    def written(self, crystal: Crystal) -> Crystal:
        """The crystal as the file has it."""
        axes = list(self.axes)
        return Crystal(crystal.cell[axes], crystal.frac[self.atoms][:, axes], crystal.numbers[self.atoms])


def layout(crystal: Crystal) -> Layout:
    """Species in the order in which they first appear, each species' atoms in the crystal's order."""
    seen = list(dict.fromkeys(crystal.numbers.tolist()))
    ranks = np.array([seen.index(number) for number in crystal.numbers.tolist()])
    right_handed = np.linalg.det(crystal.cell) > 0.0
    return Layout(np.argsort(ranks, kind="stable"), (0, 1, 2) if right_handed else (0, 2, 1))


def vasp_inputs(task: DftTask, run: DftRunSettings, mesh: tuple[int, int, int] | None = None) -> dict[str, str]:
    """File name → text: INCAR, POSCAR, POTCAR.spec, and KPOINTS where a Γ-centred `mesh` is fixed (along the file's own
    lattice vectors). Raises InputError for a functional that is not known here."""
    files = {
        "INCAR": incar(task, run, spacing=mesh is None),
        "POSCAR": poscar(task),
        "POTCAR.spec": potcar_spec(task),
    }
    return files | ({"KPOINTS": kpoints(mesh)} if mesh else {})


def incar(task: DftTask, run: DftRunSettings, *, spacing: bool = True) -> str:
    """INCAR; without `spacing` the mesh comes from KPOINTS."""
    tags = physics_tags(task)
    if not spacing:
        tags = {name: value for name, value in tags.items() if name not in ("KSPACING", "KGAMMA")}
    lines = [f"{name} = {_text(value)}" for name, value in (tags | _run_tags(run)).items()]
    return "\n".join(_heading(task) + lines) + "\n"


def physics_tags(task: DftTask) -> dict[str, Tag]:
    """What decides the result."""
    settings = task.settings
    if settings.functional not in FUNCTIONALS:
        raise InputError(f"VASP's tags for {settings.functional!r} are not known here")
    return {
        **FUNCTIONALS[settings.functional],
        "LASPH": True,
        "PREC": "Accurate",
        "ENCUT": settings.cutoff,
        "EDIFF": settings.energy_tolerance,
        "ISPIN": 2 if settings.spin else 1,
        "ISMEAR": ISMEAR[settings.smearing],
        "SIGMA": settings.smearing_width,
        "KSPACING": settings.k_spacing,
        "KGAMMA": True,
        "LREAL": False,
        **_ionic_tags(task),
    }


def poscar(task: DftTask) -> str:
    """POSCAR, fractional positions, in the order of `layout`."""
    crystal = layout(task.crystal).written(task.crystal)
    counts = {s: crystal.symbols.count(s) for s in dict.fromkeys(crystal.symbols)}
    rows = [f"{crystal.formula} {task.task}, inputs sha256 {inputs_sha256(task.text())}", "1.0"]
    rows += [_numbers(vector) for vector in crystal.cell]
    rows += [" ".join(counts), " ".join(map(str, counts.values())), "Direct"]
    rows += [f"{_numbers(place)} {symbol}" for place, symbol in zip(crystal.frac, crystal.symbols, strict=True)]
    return "\n".join(rows) + "\n"


def paw_names(task: DftTask) -> list[str]:
    """The PAW set of each species in POSCAR's order, as VASP's folders are named."""
    return [PAW_NAMES.get(SYMBOLS[z], SYMBOLS[z]) for z in dict.fromkeys(task.crystal.numbers.tolist())]


def potcar_spec(task: DftTask) -> str:
    """One line a species, in the order in which the POTCAR files are joined: PAW set, family and release."""
    family = f"{PAW_FAMILY[task.settings.functional]}.{PAW_RELEASE}"
    return "".join(f"{name} {family}\n" for name in paw_names(task))


def kpoints(mesh: tuple[int, int, int]) -> str:
    """KPOINTS of a Γ-centred mesh."""
    return f"fixed mesh\n0\nGamma\n{mesh[0]} {mesh[1]} {mesh[2]}\n0 0 0\n"


def _ionic_tags(task: DftTask) -> dict[str, Tag]:
    if task.task == RELAX:
        return {"NSW": IONIC_STEPS, "IBRION": 2, "ISIF": 3, "EDIFFG": -task.settings.relax_force}
    return {"NSW": 0, "IBRION": -1, "ISIF": 2}


def _run_tags(run: DftRunSettings) -> dict[str, Tag]:
    tags: dict[str, Tag] = {"NELM": run.max_iterations}
    if run.mixing != MIXING:
        tags |= {"AMIX": AMIX * run.mixing / MIXING, "AMIX_MAG": AMIX_MAG * run.mixing / MIXING}
    return tags | {"LWAVE": False, "LCHARG": False}


def _heading(task: DftTask) -> list[str]:
    kernel = ["# Before VASP 6.4.3 the file vdw_kernel.bindat must lie in the folder."]
    return [
        f"# {task.crystal.formula} {task.task}, {task.settings.functional}; inputs sha256 {inputs_sha256(task.text())}",
        "# Join the POTCAR files that POTCAR.spec names, in its order. Give back vasprun.xml, unchanged.",
        *(kernel if "LUSE_VDW" in FUNCTIONALS.get(task.settings.functional, {}) else []),
    ]


def _text(value: Tag) -> str:
    if isinstance(value, bool):
        return ".TRUE." if value else ".FALSE."
    return f"{value:.10g}" if isinstance(value, float) and value else str(value)


def _numbers(row: np.ndarray) -> str:
    return " ".join(f"{value:21.16f}" for value in row)
