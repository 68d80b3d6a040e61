"""What a κ_L is expected to take: counted exactly, growing as it must."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from phono3py import Phono3py
from phono3py.phonon3.triplets import get_triplets_at_q
from phonopy.phonon.grid import get_ir_grid_points

from kappakit.displacements import phonopy_atoms
from kappakit.estimates import Cost, cost, measured_speed
from kappakit.reference import reference_crystals
from tests.kappakit.reference_cells import diamond, lonsdaleite


@cache
def of_lonsdaleite(*, use_grg: bool = True) -> Phono3py:
    calculation = Phono3py(
        phonopy_atoms(lonsdaleite()), supercell_matrix=2 * np.eye(3), primitive_matrix=np.eye(3), use_grg=use_grg
    )
    calculation.generate_displacements(cutoff_pair_distance=3.0)
    return calculation


def expected(length: float, *, temperatures: int = 1, threads: int = 1, speed: float = 1.0) -> Cost:
    return cost(of_lonsdaleite(), length, temperatures=temperatures, threads=threads, speed=speed)


@pytest.mark.parametrize("length", [8.0, 12.0])
def test_triplets_are_counted_as_phono3py_finds_them(length: float) -> None:
    found = expected(length).triplets
    grid = of_lonsdaleite().grid
    points = get_ir_grid_points(grid)[0]
    assert found == sum(len(get_triplets_at_q(grid.grg2bzg[point], grid)[0]) for point in points)


def test_three_numbers_are_a_mesh_too() -> None:
    plain = of_lonsdaleite(use_grg=False)
    coarse, fine = (cost(plain, mesh, temperatures=1, threads=1, speed=1.0) for mesh in ((3, 3, 2), (6, 6, 4)))
    assert fine.triplets > 8 * coarse.triplets
    assert fine.rta_seconds > coarse.rta_seconds


def test_a_longer_mesh_and_more_temperatures_take_longer() -> None:
    coarse, fine, many = expected(10.0), expected(20.0), expected(20.0, temperatures=11)
    assert coarse.rta_seconds < fine.rta_seconds < fine.lbte_seconds < many.lbte_seconds
    assert many.rta_seconds == fine.rta_seconds
    assert coarse.memory < fine.memory < many.memory


def test_threads_and_a_faster_machine_share_the_work() -> None:
    one, two, quick = expected(30.0), expected(30.0, threads=2), expected(30.0, speed=2.0)
    assert two.rta_seconds == pytest.approx(quick.rta_seconds)
    assert 0.5 * one.rta_seconds < two.rta_seconds < one.rta_seconds


def test_the_speed_of_this_machine_is_measured_once() -> None:
    assert measured_speed(12) == measured_speed(12) > 0
    measured = cost(of_lonsdaleite(), 10.0, temperatures=1, threads=1)
    assert measured == expected(10.0, speed=measured_speed(12))


def test_twelve_atoms_fit_into_four_gib() -> None:
    crystal = reference_crystals(frozenset({"C"}))["T12-carbon"].crystal
    calculation = Phono3py(
        phonopy_atoms(crystal), supercell_matrix=np.diag([2, 2, 1]), primitive_matrix=np.eye(3), use_grg=True
    )
    calculation.generate_displacements(cutoff_pair_distance=3.0)
    found = cost(calculation, 25.0, temperatures=1, threads=2, speed=1.0)
    assert found.triplets > 1_000
    assert found.memory < 4


def test_a_crystal_of_two_atoms_takes_seconds() -> None:
    calculation = Phono3py(
        phonopy_atoms(diamond()), supercell_matrix=3 * np.eye(3), primitive_matrix=np.eye(3), use_grg=True
    )
    calculation.generate_displacements(cutoff_pair_distance=3.0)
    assert cost(calculation, 25.0, temperatures=1, threads=1, speed=1.0).rta_seconds < 15
