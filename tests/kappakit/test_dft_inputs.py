"""The inputs of a DFT calculation as canonical text, its method's digest, the k mesh and what is tried again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kappakit.crystals import Crystal
from kappakit.dft import (
    RETRIES,
    DftTask,
    effort,
    electrons,
    inputs_sha256,
    k_mesh,
    method_digest,
    method_of,
    next_try,
)
from kappakit.errors import InputError
from kappakit.protocol import DftRunSettings, DftSettings

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
DIAMOND = Crystal(3.5758 * FCC, np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]), np.array([6, 6]))
SETTINGS = DftSettings(k_spacing=0.4, spin=False)


def test_the_text_of_a_task_reads_back_as_the_same_task() -> None:
    task = DftTask("label", DIAMOND, SETTINGS)
    again = DftTask.from_text(task.text())
    assert again.text() == task.text()
    assert again.settings == SETTINGS
    np.testing.assert_allclose(again.crystal.positions, DIAMOND.positions, atol=1e-9)


@given(st.lists(st.floats(-3.0, 3.0, allow_nan=False), min_size=6, max_size=6))
def test_reading_and_writing_again_never_changes_the_text(coordinates: list[float]) -> None:
    crystal = Crystal(DIAMOND.cell, np.reshape(coordinates, (2, 3)), DIAMOND.numbers)
    text = DftTask("relax", crystal, SETTINGS).text()
    assert DftTask.from_text(text).text() == text


def test_a_coordinate_a_hair_below_a_lattice_point_is_that_point() -> None:
    moved = Crystal(DIAMOND.cell, DIAMOND.frac - np.array([[1e-12, 1.0, 0.0], [0.0, 0.0, 2.0]]), DIAMOND.numbers)
    assert DftTask("label", moved, SETTINGS).text() == DftTask("label", DIAMOND, SETTINGS).text()


def test_another_setting_crystal_task_or_oracle_is_another_calculation() -> None:
    stretched = Crystal(1.001 * DIAMOND.cell, DIAMOND.frac, DIAMOND.numbers)
    tasks = [
        DftTask("label", DIAMOND, SETTINGS),
        DftTask("relax", DIAMOND, SETTINGS),
        DftTask("label", stretched, SETTINGS),
        DftTask("label", DIAMOND, SETTINGS, oracle="ab"),
        DftTask("label", DIAMOND, replace(SETTINGS, smearing_width=0.1)),
        DftTask("label", DIAMOND, replace(SETTINGS, cutoff=500.0)),
    ]
    assert len({inputs_sha256(task.text()) for task in tasks}) == len(tasks)


def test_what_only_a_validation_reads_is_no_part_of_the_text() -> None:
    other = replace(SETTINGS, validation_supercell=3, validation_displacement=0.01, surrogate="another")
    assert DftTask("label", DIAMOND, other).text() == DftTask("label", DIAMOND, SETTINGS).text()


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 1}', "[1, 2]"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        DftTask.from_text(text)


@pytest.mark.parametrize(
    ("cell", "spacing", "mesh"),
    [
        # VASP's rule, ceil(|b_i| 2π / KSPACING): www.vasp.at/wiki, KSPACING. Diamond: |b| 2π = 3.0434 1/Å.
        (3.5758 * FCC, 0.15, (21, 21, 21)),
        (3.5758 * FCC, 0.4, (8, 8, 8)),
        (np.diag([2.0, 4.0, 100.0]), 0.5, (7, 4, 1)),
        # A ratio that is whole needs no point more for the last bit of its quotient.
        (2.0 * np.pi * np.eye(3), 0.1, (10, 10, 10)),
    ],
)
def test_the_mesh_follows_the_rule_of_kspacing(cell: np.ndarray, spacing: float, mesh: tuple[int, int, int]) -> None:
    assert k_mesh(cell, spacing) == mesh


def _digest(**changed: object) -> str:
    facts = {"engine_version": "gpaw 26.7.0", "paw": "PBE, sha256 0"}
    told = {name: str(changed.pop(name)) for name in ("engine_version", "paw", "oracle") if name in changed}
    return method_digest(method_of(replace(SETTINGS, **changed), **(facts | told)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"engine": "vasp"},
        {"engine_version": "gpaw 27.1.0"},
        {"paw": "PBE, sha256 1"},
        {"oracle": "ab"},
        {"functional": "PBE"},
        {"cutoff": 500.0},
        {"k_spacing": 0.3},
        {"smearing": "gaussian"},
        {"smearing_width": 0.1},
        {"spin": True},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_moves_the_zero_changes_the_digest(changed: dict[str, object]) -> None:
    assert _digest(**changed) != _digest()


def test_tolerances_leave_the_digest_alone() -> None:
    assert _digest(energy_tolerance=1e-8, relax_force=0.01) == _digest()


def test_an_attempt_that_did_not_converge_mixes_less_and_may_take_longer() -> None:
    run = DftRunSettings(mixing=0.05, max_iterations=200)
    first = next_try("not_converged", 0, run)
    assert first == replace(run, mixing=0.025, max_iterations=400)
    assert next_try("not_converged", 2, run) is None


def test_time_and_memory_double_and_the_rest_stays() -> None:
    run = DftRunSettings(walltime=60.0, memory=4.0)
    assert next_try("walltime", 0, run) == replace(run, walltime=120.0)
    assert next_try("memory", 0, run) == replace(run, memory=8.0)
    assert next_try("lost", 2, run) == run


@pytest.mark.parametrize("kind", sorted(RETRIES))
def test_every_class_of_failure_ends_after_its_budget(kind: str) -> None:
    assert next_try(kind, RETRIES[kind], DftRunSettings()) is None


def test_wrong_inputs_are_never_tried_again() -> None:
    assert next_try("input", 0, DftRunSettings()) is None


def test_effort_grows_with_electrons_points_spins_and_cutoff() -> None:
    plain = DftTask("label", DIAMOND, SETTINGS)
    assert electrons(DIAMOND) == 8
    assert effort(plain) == pytest.approx(8**2 * 8**3 / 2)
    assert effort(replace(plain, settings=replace(SETTINGS, spin=True))) == pytest.approx(2 * effort(plain))
    assert effort(replace(plain, task="relax")) == pytest.approx(10 * effort(plain))
