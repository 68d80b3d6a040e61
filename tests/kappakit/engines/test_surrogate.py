"""A potential that stands for DFT: its numbers unchanged, and no record that hides it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.engines.doors import RealEngines
from kappakit.engines.surrogate import SurrogateCode
from kappakit.errors import DftFailure, InputError
from kappakit.ports import DftResult, PotentialRef, SilentProgress
from kappakit.protocol import DftRunSettings, DftSettings
from kappakit.testing.potentials import FakePotential

CELL = 1.75 * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
CRYSTAL = Crystal(CELL, np.array([[0.0, 0.0, 0.0], [0.26, 0.24, 0.25]]), np.array([6, 6]))
SETTINGS = DftSettings(engine="surrogate")


class Weighed(FakePotential):
    """With a digest as stored weights have one."""

    name = "weighed"
    sha256 = "ab" * 32


def _run(task: DftTask, folder: Path, potential: FakePotential | None = None) -> DftResult:
    return SurrogateCode(potential or Weighed()).run(task, DftRunSettings(), folder, SilentProgress())


def test_a_label_is_the_potentials_own_evaluation(tmp_path: Path) -> None:
    result = _run(DftTask("label", CRYSTAL, SETTINGS, oracle=Weighed.sha256), tmp_path)
    (expected,) = FakePotential().evaluate([CRYSTAL])
    assert result.energy == result.energy_sigma0 == expected.energy
    np.testing.assert_array_equal(result.forces, expected.forces)
    np.testing.assert_array_equal(result.stress, expected.stress)


def test_every_record_says_that_it_is_no_dft(tmp_path: Path) -> None:
    result = _run(DftTask("label", CRYSTAL, SETTINGS, oracle=Weighed.sha256), tmp_path)
    assert "surrogate: weighed" in result.version
    assert "no DFT" in result.version
    assert result.method["engine"] == "surrogate"
    assert result.method["oracle"] == Weighed.sha256
    assert result.notes == ("no DFT: a potential stands for it",)


def test_other_weights_than_those_that_were_asked_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DftFailure, match="weights") as failed:
        _run(DftTask("label", CRYSTAL, SETTINGS, oracle="cd" * 32), tmp_path)
    assert failed.value.kind == "input"


def test_a_relaxation_keeps_to_the_tolerances_of_the_inputs(tmp_path: Path) -> None:
    strict = replace(SETTINGS, relax_force=1e-3, relax_stress=0.01)
    result = _run(DftTask("relax", CRYSTAL, strict, oracle=Weighed.sha256), tmp_path)
    assert np.linalg.norm(result.forces, axis=1).max() <= 1e-3
    assert np.abs(result.stress).max() * 160.2177 <= 0.01
    assert result.energy < FakePotential().evaluate([CRYSTAL])[0].energy


def test_the_door_gives_the_surrogate_its_potential_and_asks_for_one() -> None:
    engines = RealEngines(SilentProgress())
    code = engines.dft("surrogate", PotentialRef("tersoff-bcn", "Tersoff"))
    assert "Tersoff B–C–N" in code.version()
    with pytest.raises(InputError, match="which"):
        engines.dft("surrogate")
