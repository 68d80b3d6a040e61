"""Interaction strengths by torch against phono3py's own kernel: linewidths and κ_L of both, RTA and LBTE."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from phono3py import Phono3py

from kappakit.crystals import Crystal
from kappakit.displacements import evaluate_displacements, phonopy_atoms
from kappakit.engines.analytic import tersoff_bcn
from kappakit.engines.boltzmann.phono3py_kernel import Phono3pyInteractions
from kappakit.engines.boltzmann.torch_kernel import TorchInteractions
from kappakit.engines.doors import RealEngines
from kappakit.errors import InputError
from kappakit.force_constants import produce
from kappakit.ports import Interactions, PotentialRef, SilentProgress
from kappakit.reference import reference_crystals
from tests.kappakit.reference_cells import diamond, lonsdaleite

EIGENVECTOR_FREE = {
    "symmetrize_tetrahedra": True,
    "average_degenerate_weights": True,
    "exclude_gamma_acoustic": True,
}
TEMPERATURES = [0.0, 100.0, 300.0, 1000.0]
KAPPA, LINEWIDTHS = 1e-6, 1e-5
"""Relative deviations allowed; what is found lies below 1e-10."""


@dataclass(frozen=True)
class Case:
    """supercell repetitions; pair cutoff Å or None; mesh numbers, or a length in Å on a generalized regular grid."""

    crystal: str
    supercell: tuple[int, int, int]
    cutoff: float | None
    mesh: tuple[int, int, int] | float


CASES = (
    Case("diamond", (2, 2, 2), None, (4, 4, 4)),
    Case("diamond", (2, 2, 2), 2.0, 9.0),
    Case("lonsdaleite", (2, 2, 1), 2.0, (4, 4, 3)),
    Case("lonsdaleite", (2, 2, 1), 2.0, 8.0),
    Case("boron nitride", (2, 2, 2), 2.0, (4, 4, 4)),
    Case("diamond-9R", (2, 2, 1), 2.0, 6.0),
)


def crystal_named(name: str) -> Crystal:
    known = {"diamond": diamond, "lonsdaleite": lonsdaleite}
    if name == "boron nitride":
        cell = diamond(3.6)
        return Crystal.from_symbols(cell.cell, cell.frac, "BN")
    return known[name]() if name in known else reference_crystals(frozenset({"C"}))[name].crystal


@cache
def calculated(case: Case) -> Phono3py:
    """FC2 and FC3 by Tersoff's potential, its mesh set."""
    calculation = Phono3py(
        phonopy_atoms(crystal_named(case.crystal)),
        supercell_matrix=np.diag(case.supercell),
        primitive_matrix=np.eye(3),
        use_grg=isinstance(case.mesh, float),
    )
    calculation.generate_displacements(distance=0.03, cutoff_pair_distance=case.cutoff)
    potential = tersoff_bcn(PotentialRef("tersoff-bcn", "Tersoff"))
    evaluate_displacements(calculation, potential, SilentProgress())
    produce(calculation)
    calculation.mesh_numbers = case.mesh
    return calculation


def solved(calculation: Phono3py, interactions: Interactions, *, full: bool, **given: Any) -> Any:
    extra = interactions.prepare(calculation, given.pop("options", EIGENVECTOR_FREE))
    asked = {"temperatures": TEMPERATURES, "is_isotope": False, "boundary_mfp": None, **given}
    calculation.run_thermal_conductivity(is_LBTE=full, log_level=0, **asked, **extra)
    return calculation.thermal_conductivity


def assert_equal(calculation: Phono3py, *, full: bool, **given: Any) -> None:
    theirs = solved(calculation, Phono3pyInteractions(), full=full, **given)
    kappa, linewidths = np.array(theirs.kappa), np.array(theirs.gamma)
    ours = solved(calculation, TorchInteractions("cpu"), full=full, **given)
    assert np.abs(linewidths).max() > 0
    np.testing.assert_allclose(ours.gamma, linewidths, rtol=LINEWIDTHS, atol=1e-9 * linewidths.max())
    np.testing.assert_allclose(ours.kappa, kappa, rtol=KAPPA, atol=KAPPA * np.abs(kappa[kappa < 1e15]).max())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.crystal} {case.mesh}")
@pytest.mark.parametrize("full", [False, True], ids=["RTA", "LBTE"])
def test_kappa_and_linewidths_are_those_of_phono3py(case: Case, full: bool) -> None:
    assert_equal(calculated(case), full=full)


@pytest.mark.parametrize("full", [False, True], ids=["RTA", "LBTE"])
def test_isotopes_and_a_boundary_are_added_as_before(full: bool) -> None:
    assert_equal(calculated(CASES[2]), full=full, is_isotope=True, boundary_mfp=1.0)


@pytest.mark.parametrize("options", [{}, {"symmetrize_fc3q": True}, {"symmetrize_tetrahedra": True}], ids=str)
def test_options_of_phono3py_are_honoured(options: dict[str, Any]) -> None:
    assert_equal(calculated(CASES[0]), full=False, options=options)


def test_what_the_solvers_do_not_know_phono3py_s_own_do() -> None:
    """Normal and umklapp processes apart: through phono3py's solver, with our strengths where it asks for them."""
    assert_equal(calculated(CASES[0]), full=False, is_N_U=True, is_full_pp=True)


def test_portions_of_triplets_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kappakit.engines.boltzmann.interaction.CHUNK_BYTES", 3 * 16 * 6**3)
    assert_equal(calculated(CASES[1]), full=True)


def test_the_doors_lead_to_both() -> None:
    engines = RealEngines(SilentProgress())
    assert [engines.interactions(name).name for name in ("torch", "phono3py")] == ["torch", "phono3py"]
    with pytest.raises(InputError, match="way of interactions"):
        engines.interactions("other")


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True], ids=["RTA", "LBTE"])
def test_twelve_atoms(full: bool) -> None:
    assert_equal(calculated(Case("T12-carbon", (2, 2, 1), 3.0, 9.0)), full=full)
