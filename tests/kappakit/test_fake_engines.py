"""`python -m kappakit.testing.run`: a stage process with the analytic potential, launched as the worker launches it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.ports import PotentialRef
from kappakit.run import prepare
from kappakit.stages.contracts import Item, RelaxInputs, RelaxOutputs


def test_the_relax_stage_runs_with_the_analytic_potential(tmp_path: Path) -> None:
    cell = 1.75 * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    crystal = Crystal(cell, np.array([[0.0, 0.0, 0.0], [0.26, 0.24, 0.25]]), np.array([6, 6]))
    inputs = RelaxInputs((Item("7", crystal),), PotentialRef("fake", "fake"))
    prepare(tmp_path, "relax", inputs, {"max_force": 0.01}, threads=1)
    done = subprocess.run([sys.executable, "-m", "kappakit.testing.run", str(tmp_path)], check=False, timeout=120)
    assert done.returncode == 0
    outputs = archive.read(tmp_path, "outputs", RelaxOutputs)
    assert [item.id for item in outputs.relaxed] == ["7"]
    assert outputs.relaxed[0].max_force <= 0.01
