"""What tests of the real GPAW share: the mark that skips them where it is not installed, and a quick calculation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.engines.gpaw.code import GpawCode
from kappakit.engines.gpaw.places import find_python
from kappakit.errors import InputError
from kappakit.ports import DftResult, SilentProgress
from kappakit.protocol import DftRunSettings, DftSettings

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
DIAMOND = Crystal(3.5758 * FCC, np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]), np.array([6, 6]))
QUICK = DftSettings(cutoff=300.0, k_spacing=1.6, spin=False)
"""Far from converged, and a second each: what is tested holds at any cutoff and mesh."""
TIGHT = replace(QUICK, energy_tolerance=1e-8)


def _missing() -> str:
    try:
        find_python()
    except InputError as error:
        return str(error)
    return ""


def real(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test as one of the real GPAW; skipped, with the reason in the summary, where that is missing."""
    reason = _missing()
    marked: Callable[..., None] = pytest.mark.dft(pytest.mark.skipif(bool(reason), reason=reason)(test))
    return marked


def compute(
    crystal: Crystal,
    folder: Path,
    settings: DftSettings = QUICK,
    *,
    task: str = "label",
    run: DftRunSettings | None = None,
    progress: SilentProgress | None = None,
) -> DftResult:
    """One calculation by GPAW in `folder`."""
    return GpawCode().run(
        DftTask(task, crystal, settings), run or DftRunSettings(), folder, progress or SilentProgress()
    )
