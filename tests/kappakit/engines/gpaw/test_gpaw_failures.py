"""How the real GPAW's attempts end that do not end well, and what a later attempt takes up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.engines.gpaw.code import GpawCode
from kappakit.errors import DftFailure
from kappakit.ports import SilentProgress
from kappakit.protocol import DftRunSettings, DftSettings
from kappakit.run import prepare
from kappakit.stages.contracts import CalculateInputs
from tests.kappakit.engines.gpaw.real_gpaw import DIAMOND, QUICK, TIGHT, compute, real

SLOW = DftSettings(cutoff=400.0, k_spacing=0.6, spin=True, energy_tolerance=1e-12)
"""Quick steps, and many of them."""
HALF_A_MINUTE = replace(SLOW, cutoff=600.0, k_spacing=0.15)
"""What a fast core takes for it; a slower one more."""


@real
def test_too_few_electronic_steps_are_not_converged(tmp_path: Path) -> None:
    with pytest.raises(DftFailure, match="5 electronic steps") as failed:
        compute(DIAMOND, tmp_path, TIGHT, run=DftRunSettings(max_iterations=5))
    assert failed.value.kind == "not_converged"
    assert compute(DIAMOND, tmp_path, TIGHT).iterations > 5


@real
def test_time_runs_out_and_nothing_goes_on_running(tmp_path: Path) -> None:
    with pytest.raises(DftFailure) as failed:
        compute(DIAMOND, tmp_path, HALF_A_MINUTE, run=DftRunSettings(walltime=0.1, max_iterations=10_000))
    assert failed.value.kind == "walltime"
    assert not _running(tmp_path)


@real
def test_an_element_without_paw_set_is_a_failure_of_the_input(tmp_path: Path) -> None:
    americium = Crystal(4.5 * np.eye(3), np.zeros((1, 3)), np.array([95]))
    with pytest.raises(DftFailure, match="Am") as failed:
        compute(americium, tmp_path)
    assert failed.value.kind == "input"


@real
def test_a_program_that_is_killed_counts_as_out_of_memory(tmp_path: Path) -> None:
    class Killer(SilentProgress):
        def __call__(self, done: int, total: int, note: str) -> None:
            for pid in _running(tmp_path):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(DftFailure) as failed:
        compute(DIAMOND, tmp_path, SLOW, progress=Killer())
    assert failed.value.kind == "memory"


@real
def test_the_program_dies_with_a_stage_that_is_killed(tmp_path: Path) -> None:
    prepare(tmp_path, "calculate", CalculateInputs(DftTask("label", DIAMOND, SLOW).text()), {}, threads=1)
    stage = subprocess.Popen([sys.executable, "-m", "kappakit.run", str(tmp_path)])
    _until(lambda: (tmp_path / "checkpoint/progress.jsonl").exists())
    stage.kill()
    stage.wait()
    _until(lambda: not _running(tmp_path / "checkpoint"))


@real
def test_a_result_that_is_there_already_is_taken_and_that_of_other_inputs_is_not(tmp_path: Path) -> None:
    first = compute(DIAMOND, tmp_path)
    (tmp_path / "gpaw.txt").unlink()
    assert compute(DIAMOND, tmp_path).energy == first.energy
    assert not (tmp_path / "gpaw.txt").exists()
    assert compute(DIAMOND, tmp_path, replace(QUICK, cutoff=310.0)).energy != first.energy


@real
def test_a_relaxation_goes_on_where_an_earlier_attempt_was_stopped(tmp_path: Path) -> None:
    settings = replace(QUICK, cutoff=350.0, k_spacing=1.0, relax_force=0.01, relax_stress=0.5)
    strained = Crystal(1.02 * DIAMOND.cell, DIAMOND.frac, DIAMOND.numbers)

    class Stop(SilentProgress):
        def __call__(self, done: int, total: int, note: str) -> None:
            if done >= 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute(strained, tmp_path, settings, task="relax", progress=Stop())
    assert not _running(tmp_path)
    kept = json.loads((tmp_path / "relaxation.json").read_text())["steps"]
    end = compute(strained, tmp_path, settings, task="relax")
    assert kept >= 1
    assert end.steps > kept
    assert any("earlier attempt" in note for note in end.notes)
    assert end.stress is not None
    assert np.abs(end.stress).max() * 160.2177 <= 0.5
    # Å; converged it is 3.576, and a basis of 350 eV pulls the cell together.
    assert end.crystal.cell[0, 1] * 2 == pytest.approx(3.576, abs=0.1)


def test_without_gpaw_the_failure_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAPPAWEB_GPAW", raising=False)
    monkeypatch.setenv("KAPPAWEB_HOME", str(tmp_path))
    with pytest.raises(DftFailure, match="make dft"):
        GpawCode().run(DftTask("label", DIAMOND, QUICK), DftRunSettings(), tmp_path, SilentProgress())


def _running(folder: Path) -> list[int]:
    """Processes of the program in `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(folder.resolve()).encode() in words and any(word.endswith(b"main.py") for word in words):
                found.append(int(entry.name))
    return found


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
