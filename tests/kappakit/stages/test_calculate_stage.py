"""The stage calculate with the simulated code: a result, and each class of failure as an outcome."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.dft import RETRIES, DftTask, method_digest, next_try
from kappakit.ports import SilentProgress
from kappakit.protocol import DftRunSettings, DftSettings
from kappakit.run import EXIT_DONE, main, prepare
from kappakit.stages import calculate
from kappakit.stages.contracts import CalculateInputs, CalculateOutputs
from kappakit.testing.dft import LEAST, doomed
from kappakit.testing.run import FakeEngines

CELL = 1.75 * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
CRYSTAL = Crystal(CELL, np.array([[0.0, 0.0, 0.0], [0.26, 0.24, 0.25]]), np.array([6, 6]))


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _run(crystal: Crystal = CRYSTAL, run: DftRunSettings | None = None, task: str = "label") -> CalculateOutputs:
    inputs = CalculateInputs(DftTask(task, crystal, DftSettings()).text())
    return calculate.run(inputs, run or DftRunSettings(), engines=FakeEngines(SilentProgress()))


def test_a_result_carries_its_method_and_says_that_it_is_simulated() -> None:
    outputs = _run(run=DftRunSettings(cores=2))
    assert outputs.result is not None
    assert (outputs.failure, outputs.message, outputs.cores) == ("", "", 2)
    assert outputs.result.version == "simulated"
    assert outputs.result.method_sha256 == method_digest(outputs.result.method)
    assert outputs.files == {"simulated_log": "checkpoint/simulated.txt"}


def test_a_relaxation_ends_where_forces_and_stress_are_small() -> None:
    result = _run(task="relax").result
    assert result is not None
    assert result.stress is not None
    assert result.steps > 0
    assert np.linalg.norm(result.forces, axis=1).max() <= DftSettings().relax_force
    assert np.abs(result.stress).max() * 160.2177 <= DftSettings().relax_stress


@pytest.mark.parametrize("kind", sorted(RETRIES))
def test_each_class_of_failure_is_an_outcome_with_a_message(kind: str) -> None:
    outputs = _run(doomed(CRYSTAL, kind, always=True))
    assert outputs.result is None
    assert outputs.failure == kind
    assert outputs.message
    assert outputs.seconds >= 0.0


@pytest.mark.parametrize("kind", sorted(RETRIES))
def test_what_failed_once_succeeds_at_the_next_attempt_in_its_folder(kind: str) -> None:
    crystal = doomed(CRYSTAL, kind)
    assert _run(crystal).failure == kind
    assert _run(crystal).result is not None


@pytest.mark.parametrize(("kind", "name", "least"), [(kind, *what) for kind, what in LEAST.items()])
def test_the_changed_run_settings_of_the_next_try_help(kind: str, name: str, least: float) -> None:
    run = DftRunSettings(**{name: int(least // 2) if name == "max_iterations" else least / 2})
    assert _run(run=run).failure == kind
    again = next_try(kind, 0, run)
    assert again is not None
    assert _run(run=again).result is not None


def test_text_that_is_no_calculation_is_a_failure_of_the_input() -> None:
    outputs = calculate.run(CalculateInputs("{}"), DftRunSettings(), engines=FakeEngines(SilentProgress()))
    assert outputs.failure == "input"
    assert "not the inputs" in outputs.message


def test_outputs_survive_the_stages_folder(tmp_path: Path) -> None:
    inputs = CalculateInputs(DftTask("label", CRYSTAL, DftSettings()).text())
    prepare(tmp_path, "calculate", inputs, {"cores": 1}, threads=1)
    assert main(tmp_path, FakeEngines) == EXIT_DONE
    outputs = archive.read(tmp_path, "outputs", CalculateOutputs)
    assert outputs.result is not None
    direct = _run().result
    assert direct is not None
    assert outputs.result.energy == direct.energy
    np.testing.assert_array_equal(outputs.result.forces, direct.forces)
    assert outputs.result.method == direct.method


def test_a_failure_survives_the_stages_folder_too(tmp_path: Path) -> None:
    inputs = CalculateInputs(DftTask("label", doomed(CRYSTAL, "lost", always=True), DftSettings()).text())
    prepare(tmp_path, "calculate", inputs, {}, threads=1)
    assert main(tmp_path, FakeEngines) == EXIT_DONE
    outputs = archive.read(tmp_path, "outputs", CalculateOutputs)
    assert (outputs.result, outputs.failure) == (None, "lost")
