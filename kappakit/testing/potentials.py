"""The contract of every Potential, and an analytic Potential that fulfils it exactly.

The analytic one is a Morse pair potential, P. M. Morse, Phys. Rev. 34, 57 (1929), smoothly cut off, with a
three-body term of Stillinger and Weber's kind, Phys. Rev. B 31, 5262 (1985): its forces are exact derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matscipy.neighbours import neighbour_list

from kappakit.crystals import Crystal
from kappakit.ports import Evaluation, Potential, Progress, RelaxedCrystal, TrustLimits
from kappakit.protocol import RelaxSettings
from kappakit.relaxation import relax_one

DISPLACEMENT = 1e-3
STRAIN = 1e-4
FLOAT32_FACTOR = 200.0


class FakePotential:
    """Tetrahedral carbon in numpy: depth 3 eV at 1.54 Å, cosines of bond angles drawn to −1/3."""

    name = "fake"
    engine = "fake"
    version = "1"
    sha256 = ""
    species: tuple[str, ...] = ()
    precision = "float64"
    compiled = False
    trust = TrustLimits()
    trust_descriptors: np.ndarray | None = None

    depth, width, distance, cutoff, stiffness = 3.0, 1.8, 1.54, 2.5, 2.0

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """Each crystal by itself."""
        return [self._evaluate(crystal) for crystal in crystals]

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        """One after the other."""
        ends = []
        for done, crystal in enumerate(crystals, start=1):
            ends.append(relax_one(self, crystal, settings))
            progress(done, len(crystals), "")
        return ends

    def _evaluate(self, crystal: Crystal) -> Evaluation:
        i, j, r = neighbour_list(
            "ijD",
            cutoff=self.cutoff,
            positions=np.array(crystal.positions),
            cell=np.array(crystal.cell),
            pbc=[True] * 3,
        )
        if not len(i):
            return Evaluation(0.0, np.zeros((crystal.n_atoms, 3)), np.zeros((3, 3)))
        energy, gradient = self._pairs(r)
        for first, second in _bond_pairs(i):
            more, on_first, on_second = self._angles(r[first], r[second])
            energy += more
            np.add.at(gradient, first, on_first)
            np.add.at(gradient, second, on_second)
        forces = np.zeros((crystal.n_atoms, 3))
        np.add.at(forces, i, gradient)
        np.add.at(forces, j, -gradient)
        stress = gradient.T @ r / crystal.volume
        return Evaluation(float(energy), forces, 0.5 * (stress + stress.T))

    def _pairs(self, r: np.ndarray) -> tuple[float, np.ndarray]:
        d = np.linalg.norm(r, axis=1)
        window, slope = _window(d, self.cutoff)
        e = np.exp(-self.width * (d - self.distance))
        value, derivative = self.depth * (e * e - 2 * e), self.depth * self.width * (2 * e - 2 * e * e)
        energy = 0.5 * float((value * window).sum())
        return energy, (0.5 * (derivative * window + value * slope) / d)[:, None] * r

    def _angles(self, u: np.ndarray, v: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        a, b = np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1)
        (wa, sa), (wb, sb) = _window(a, self.cutoff), _window(b, self.cutoff)
        cosine = (u * v).sum(1) / (a * b)
        bend = cosine + 1.0 / 3.0
        value, slope = self.stiffness * bend**2, 2 * self.stiffness * bend * wa * wb
        on_u = (value * sa * wb / a)[:, None] * u + slope[:, None] * (
            v / (a * b)[:, None] - (cosine / a**2)[:, None] * u
        )
        on_v = (value * wa * sb / b)[:, None] * v + slope[:, None] * (
            u / (a * b)[:, None] - (cosine / b**2)[:, None] * v
        )
        return float((value * wa * wb).sum()), on_u, on_v


def _window(d: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """1 up to three quarters of the cutoff, then down to 0 with three vanishing derivatives; and its derivative."""
    inner = 0.75 * cutoff
    x = np.clip((d - inner) / (cutoff - inner), 0.0, 1.0)
    value = 1.0 - x**4 * (35.0 - 84.0 * x + 70.0 * x**2 - 20.0 * x**3)
    return value, -140.0 * x**3 * (1.0 - x) ** 3 / (cutoff - inner)


def _bond_pairs(i: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Index pairs of bonds that share their first atom, each pair once."""
    pairs = []
    for atom in np.unique(i):
        bonds = np.flatnonzero(i == atom)
        rows, columns = np.triu_indices(len(bonds), 1)
        pairs.append((bonds[rows], bonds[columns]))
    return pairs


def assert_potential(potential: Potential, crystals: Sequence[Crystal], *, tolerance: float = 1e-4) -> None:
    """Raise AssertionError where `potential` breaks the contract of ports.Potential on one of `crystals`.

    Forces are −dE/dx and the stress dE/dε/V by central differences; energies do not change under translation, rotation
    and permutation; a batch gives what its members give alone; the input is untouched. `tolerance` in eV/Å and
    relative; a float32 potential gets 200 times as much where energies are subtracted.
    """
    before = [(c.cell.copy(), c.frac.copy(), c.numbers.copy()) for c in crystals]
    together = potential.evaluate(crystals)
    factor = FLOAT32_FACTOR if potential.precision == "float32" else 1.0
    for crystal, evaluation in zip(crystals, together, strict=True):
        _assert_forces(potential, crystal, evaluation, tolerance * factor)
        _assert_stress(potential, crystal, evaluation, tolerance * factor)
        _assert_invariances(potential, crystal, evaluation, tolerance)
        _assert_alone(potential, crystal, evaluation, tolerance)
    for crystal, (cell, frac, numbers) in zip(crystals, before, strict=True):
        same = (crystal.cell == cell).all() and (crystal.frac == frac).all() and (crystal.numbers == numbers).all()
        assert same, "the input was changed"


def _assert_forces(potential: Potential, crystal: Crystal, found: Evaluation, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(crystal.n_atoms, 3))
    direction /= np.linalg.norm(direction)
    ends = [_moved(crystal, sign * DISPLACEMENT * direction) for sign in (1, -1)]
    up, down = (e.energy for e in potential.evaluate(ends))
    expected = -(up - down) / (2 * DISPLACEMENT)
    actual = float((found.forces * direction).sum())
    assert abs(actual - expected) <= tolerance * (1 + abs(expected)), f"force {actual} is not −dE/dx = {expected}"
    assert np.abs(found.forces.sum(axis=0)).max() <= tolerance, "forces do not add up to zero"


def _assert_stress(potential: Potential, crystal: Crystal, found: Evaluation, tolerance: float) -> None:
    assert np.abs(found.stress - found.stress.T).max() <= 1e-9, "the stress is not symmetric"
    rng = np.random.default_rng(1)
    strain = rng.normal(size=(3, 3))
    strain = (strain + strain.T) / np.linalg.norm(strain + strain.T)
    ends = [Crystal(crystal.cell @ (np.eye(3) + s * STRAIN * strain), crystal.frac, crystal.numbers) for s in (1, -1)]
    up, down = (e.energy for e in potential.evaluate(ends))
    expected = (up - down) / (2 * STRAIN)
    actual = float((found.stress * strain).sum() * crystal.volume)
    assert abs(actual - expected) <= 10 * tolerance * (1 + abs(expected)), f"virial {actual}, by strain {expected}"


def _assert_invariances(potential: Potential, crystal: Crystal, found: Evaluation, tolerance: float) -> None:
    rng = np.random.default_rng(2)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(crystal.n_atoms)
    shifted, turned, shuffled = potential.evaluate(
        [
            Crystal(crystal.cell, crystal.frac + rng.random(3), crystal.numbers),
            Crystal(crystal.cell @ rotation, crystal.frac, crystal.numbers),
            Crystal(crystal.cell, crystal.frac[order], crystal.numbers[order]),
        ]
    )
    expected = (found.forces, found.forces @ rotation, found.forces[order])
    for what, other, forces in zip(
        ("translation", "rotation", "permutation"), (shifted, turned, shuffled), expected, strict=True
    ):
        assert abs(other.energy - found.energy) <= tolerance * crystal.n_atoms, f"{what} changes the energy"
        assert np.abs(other.forces - forces).max() <= 10 * tolerance, f"{what} does not carry the forces along"


def _assert_alone(potential: Potential, crystal: Crystal, found: Evaluation, tolerance: float) -> None:
    (alone,) = potential.evaluate([crystal])
    assert abs(alone.energy - found.energy) <= tolerance * crystal.n_atoms, "alone, another energy than in a batch"
    assert np.abs(alone.forces - found.forces).max() <= tolerance, "alone, other forces than in a batch"
    assert np.abs(alone.stress - found.stress).max() <= tolerance, "alone, another stress than in a batch"


def _moved(crystal: Crystal, displacement: np.ndarray) -> Crystal:
    return Crystal(crystal.cell, crystal.frac + displacement @ np.linalg.inv(crystal.cell), crystal.numbers)
