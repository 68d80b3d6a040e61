"""What surrounds GPAW and needs none: reduced cells and the way back, a child's time, end and progress."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kappakit.crystals import Crystal
from kappakit.dft import DftTask, inputs_sha256
from kappakit.engines.gpaw.code import finished, prepare
from kappakit.engines.gpaw.places import find_python
from kappakit.engines.gpaw.process import environment, run_program, unexplained
from kappakit.engines.gpaw.reduction import Reduction
from kappakit.errors import DftFailure, InputError
from kappakit.ports import SilentProgress
from kappakit.protocol import DftRunSettings, DftSettings

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
DIAMOND = Crystal(3.5758 * FCC, np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]), np.array([6, 6]))
SETTINGS = DftSettings(k_spacing=0.4)
ENTRIES = st.lists(st.integers(-3, 3), min_size=3, max_size=3)


@given(ENTRIES, ENTRIES, st.sampled_from([1, -1]))
def test_every_cell_of_a_lattice_is_computed_in_a_reduced_one_and_comes_back(
    below: list[int], above: list[int], hand: int
) -> None:
    skew = np.diag([1, 1, hand])
    skew = skew @ (np.eye(3) + _triangle(below)) @ (np.eye(3) + _triangle(above).T)
    crystal = Crystal(skew @ DIAMOND.cell, DIAMOND.frac @ np.linalg.inv(skew), DIAMOND.numbers)
    reduction = Reduction.of(crystal)
    reduced = reduction.reduce(crystal)
    # Å: no vector of diamond's lattice is shorter than a/√2.
    np.testing.assert_allclose(reduced.lengths, 3.5758 / np.sqrt(2), rtol=1e-9)
    assert np.linalg.det(reduced.cell) > 0
    np.testing.assert_allclose(reduced.positions, crystal.positions, atol=1e-9)
    back = reduction.restore(reduced)
    np.testing.assert_allclose(back.cell, crystal.cell, atol=1e-9)
    np.testing.assert_allclose(back.frac, crystal.frac, atol=1e-9)


def test_a_cell_that_is_reduced_already_stays_as_it_is() -> None:
    assert not Reduction.of(DIAMOND).changes


def test_the_program_is_told_inputs_mesh_and_settings_of_the_text(tmp_path: Path) -> None:
    task = DftTask("label", DIAMOND, SETTINGS)
    (tmp_path / "failure.json").write_text("{}")
    prepare(tmp_path, task, DftRunSettings(), Reduction.of(DIAMOND))
    told = (tmp_path / "task.json").read_text()
    assert inputs_sha256(task.text()) in told
    assert '"surrogate"' not in told
    assert not (tmp_path / "failure.json").exists()
    assert finished(tmp_path, task) is None


def test_progress_of_the_child_is_passed_on(tmp_path: Path) -> None:
    line = '{"done": 3, "total": 200, "note": "electronic step 3"}\n'
    progress = SilentProgress()
    command = [sys.executable, "-c", f"open('progress.jsonl', 'w').write({line!r})"]
    assert run_program(command, tmp_path, cores=1, minutes=1.0, progress=progress) == 0
    assert progress.calls == [(3, 200, "electronic step 3")]


def test_a_child_is_ended_when_its_time_is_over(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(DftFailure) as failed:
        run_program(["sleep", "60"], tmp_path, cores=1, minutes=0.01, progress=SilentProgress())
    assert failed.value.kind == "walltime"
    assert time.monotonic() - started < 30.0


@pytest.mark.parametrize(
    ("program", "kind"), [("import os; os.kill(os.getpid(), 9)", "memory"), ("raise ValueError('odd')", "engine")]
)
def test_an_end_without_explanation_has_a_class_and_the_last_lines(tmp_path: Path, program: str, kind: str) -> None:
    code = run_program([sys.executable, "-c", program], tmp_path, cores=1, minutes=1.0, progress=SilentProgress())
    failure = unexplained(code, tmp_path)
    assert failure.kind == kind
    assert kind == "memory" or "ValueError: odd" in str(failure)


def test_the_child_gets_its_threads_and_nothing_that_steers_another_gpaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPAW_SETUP_PATH", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    given_on = environment(3)
    assert given_on["OMP_NUM_THREADS"] == "3"
    assert not {"GPAW_SETUP_PATH", "PYTHONPATH"} & given_on.keys()


def test_another_python_may_be_named_and_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAPPAWEB_GPAW", sys.executable)
    assert find_python() == Path(sys.executable)
    monkeypatch.setenv("KAPPAWEB_GPAW", "/nowhere/python")
    with pytest.raises(InputError, match="/nowhere"):
        find_python()


def _triangle(entries: list[int]) -> np.ndarray:
    """(3, 3) with these below the diagonal."""
    made = np.zeros((3, 3))
    made[np.tril_indices(3, -1)] = entries
    return made
