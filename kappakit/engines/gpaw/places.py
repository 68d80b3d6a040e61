"""Where GPAW's environment is: KAPPAWEB_GPAW (a python), or what `make dft` made."""

from __future__ import annotations

import os
from pathlib import Path

from kappakit.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).resolve().parent / "program" / "main.py"


def find_python() -> Path:
    """The python that imports gpaw; raises InputError that says what to install."""
    named = os.environ.get("KAPPAWEB_GPAW")
    if named:
        if not os.access(named, os.X_OK):
            raise InputError(f"KAPPAWEB_GPAW names {named}, which is no program")
        return Path(named)
    python = home() / "bin" / "python"
    if not python.exists():
        raise InputError("GPAW is not installed: run `make dft`")
    return python


def home() -> Path:
    """dft/ in KAPPAWEB_HOME, which is var/ of the clone by default."""
    return Path(os.environ.get("KAPPAWEB_HOME", ROOT / "var")).resolve() / "dft"


def kernel_tables() -> Path:
    """Tables that depend on no crystal are kept here between calculations."""
    return home() / "tables"
