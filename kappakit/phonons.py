"""Harmonic phonons: bands, density of states, and whether a crystal is dynamically stable. By phonopy and SeeK-path.

A. Togo, J. Phys. Soc. Jpn. 92, 012001 (2023); Y. Hinuma, G. Pizzi, Y. Kumagai, F. Oba, I. Tanaka, Comput. Mater. Sci.
128, 140 (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import seekpath
from phonopy import Phonopy
from phonopy.harmonic.dynmat_to_fc import get_commensurate_points

STABLE, BORDERLINE, IMAGINARY = "stable", "borderline", "imaginary"
BAND_SPACING = 0.005
"""1/Å (without 2π) between q-points along a path: some fifty points from Γ to diamond's X."""
ROUND_OFF = 1e-3
"""THz: a frequency above minus this is zero; translation makes three at Γ zero only to rounding."""
NEAR_GAMMA = 0.5
"""Share of the shortest commensurate q: closer to Γ the force constants of a finite supercell are an interpolation."""
ACOUSTIC_BRANCHES = 3
Sampling = float | Sequence[int]
"""A mesh of phonopy: its length in Å, or three numbers."""
DOS_POINTS = 301
ABOVE_HIGHEST = 1.02
"""The density of states is drawn up to this multiple of the highest frequency."""


@dataclass(frozen=True, eq=False)
class BandPath:
    """distances (q,) 1/Å without 2π; frequencies (q, b) THz; ticks (position, label); breaks: indices where a new,
    disconnected segment begins; q_points (q, 3) fractional in the reciprocal lattice of the primitive cell."""

    distances: np.ndarray
    frequencies: np.ndarray
    ticks: tuple[tuple[float, str], ...]
    breaks: tuple[int, ...]
    q_points: np.ndarray


@dataclass(frozen=True)
class DynamicalStability:
    """dynamical: 'stable' | 'borderline' | 'imaginary'. Lowest frequencies in THz, negative = imaginary, with the
    acoustic branches near Γ left out; `acoustic_lowest` is theirs."""

    dynamical: str
    lowest_commensurate: float
    lowest_mesh: float
    lowest_path: float
    acoustic_lowest: float


def harmonic(
    unitcell: Any, supercell_matrix: Any, primitive_matrix: Any, fc2: np.ndarray, nac_params: Any = None
) -> Phonopy:
    """phonopy's calculation with given force constants (compact or full, eV/Å²) and, perhaps, Born charges."""
    phonons = Phonopy(unitcell, supercell_matrix=supercell_matrix, primitive_matrix=primitive_matrix)
    phonons.force_constants = fc2
    if nac_params is not None:
        phonons.nac_params = nac_params
    return phonons


def band_path(phonons: Phonopy) -> BandPath:
    """Frequencies along SeeK-path's path, in the primitive cell as it stands."""
    segments, ends = _segments(phonons)
    distances, ticks, breaks = _laid_out(segments, ends, np.linalg.inv(phonons.primitive.cell).T)
    q_points = np.concatenate(segments)
    return BandPath(distances, frequencies_at(phonons, q_points), ticks, breaks, q_points)


def density_of_states(phonons: Phonopy, mesh: Sampling) -> tuple[np.ndarray, np.ndarray]:
    """(frequencies (f,) THz, states (f,) per THz and primitive cell), by tetrahedra on a mesh that contains Γ."""
    found = np.asarray(phonons.run_mesh(mesh, is_gamma_center=True).frequencies)
    low, high = min(0.0, float(found.min())), float(found.max())
    pitch = (high * ABOVE_HIGHEST - low) / (DOS_POINTS - 1)
    states = phonons.run_total_dos(freq_min=low, freq_max=high * ABOVE_HIGHEST, freq_pitch=pitch)
    return np.asarray(states.frequency_points), np.asarray(states.dos)


def frequencies_at(phonons: Phonopy, q_points: np.ndarray) -> np.ndarray:
    """(q, b) THz, ascending, negative = imaginary."""
    return np.sort(np.asarray(phonons.run_qpoints(q_points).frequencies), axis=1)


def deviation(first: np.ndarray, second: np.ndarray) -> float:
    """THz: root mean square over the wave vectors and branches (q, b) of two sets of bands at the same wave vectors."""
    return float(np.sqrt(np.mean((first - second) ** 2)))


def stability(phonons: Phonopy, mesh: Sampling, path: BandPath, tolerance: float) -> DynamicalStability:
    """Search commensurate points, mesh and path for imaginary modes; `tolerance` in THz.

    The three acoustic branches near Γ are looked at apart: there a small negative frequency tells of the supercell's
    size or of rotational invariance, not of an instability. They can make a crystal borderline, never imaginary.
    """
    supercell = np.rint(np.linalg.inv(phonons.primitive_matrix) @ phonons.supercell_matrix).astype(int)
    commensurate = get_commensurate_points(supercell)
    reciprocal = np.linalg.inv(phonons.primitive.cell).T
    radius = NEAR_GAMMA * np.sort(_lengths(commensurate, reciprocal))[1] if len(commensurate) > 1 else 0.0
    sampled = phonons.run_mesh(mesh, is_gamma_center=True)
    on_mesh = np.asarray(sampled.qpoints), np.asarray(sampled.frequencies)
    searched = [(commensurate, frequencies_at(phonons, commensurate)), on_mesh, (path.q_points, path.frequencies)]
    split = [_lowest(frequencies, _lengths(q, reciprocal) <= radius) for q, frequencies in searched]
    (at_points, of_points), (at_mesh, of_mesh), (at_path, of_path) = split
    lowest, acoustic = min(at_points, at_mesh, at_path), min(of_points, of_mesh, of_path)
    return DynamicalStability(dynamical_word(lowest, acoustic, tolerance), at_points, at_mesh, at_path, acoustic)


def dynamical_word(lowest: float, acoustic: float, tolerance: float) -> str:
    """The verdict on the lowest frequency away from Γ's acoustic branches and on theirs, all in THz."""
    if lowest < -tolerance:
        return IMAGINARY
    return BORDERLINE if lowest < -ROUND_OFF or acoustic < -tolerance else STABLE


def _lowest(frequencies: np.ndarray, near: np.ndarray) -> tuple[float, float]:
    """(lowest frequency without, of) the acoustic branches at the q-points that are near Γ."""
    acoustic = frequencies[near].copy()
    order = np.argsort(np.abs(acoustic), axis=1)[:, :ACOUSTIC_BRANCHES]
    apart = np.take_along_axis(acoustic, order, axis=1)
    np.put_along_axis(acoustic, order, np.inf, axis=1)
    rest = np.concatenate([frequencies[~near].ravel(), acoustic.ravel()])
    return float(rest.min(initial=np.inf)), float(apart.min(initial=0.0))


def _lengths(q_points: np.ndarray, reciprocal: np.ndarray) -> np.ndarray:
    """(q,) 1/Å of the shortest equivalent within one reciprocal cell of rounding."""
    wrapped = q_points - np.rint(q_points)
    images = wrapped[:, None] + np.array(list(np.ndindex(3, 3, 3))) - 1
    return np.linalg.norm(images @ reciprocal, axis=-1).min(axis=1)


def _segments(phonons: Phonopy) -> tuple[list[np.ndarray], list[tuple[str, str]]]:
    """q-points (p, 3) of each segment of the path, and the labels of its ends."""
    cell = phonons.primitive
    found = seekpath.get_path_orig_cell((cell.cell, cell.scaled_positions, cell.numbers))
    reciprocal = np.linalg.inv(cell.cell).T
    segments = []
    for first, last in found["path"]:
        start, end = (np.array(found["point_coords"][label]) for label in (first, last))
        points = max(2, int(np.ceil(np.linalg.norm((end - start) @ reciprocal) / BAND_SPACING)) + 1)
        segments.append(start + np.linspace(0.0, 1.0, points)[:, None] * (end - start))
    return segments, [(_label(first), _label(last)) for first, last in found["path"]]


def _label(name: str) -> str:
    return "Γ" if name == "GAMMA" else name


def _laid_out(
    segments: list[np.ndarray], ends: list[tuple[str, str]], reciprocal: np.ndarray
) -> tuple[np.ndarray, tuple[tuple[float, str], ...], tuple[int, ...]]:
    """Distances along the path, ticks at its corners ('X|K' where it jumps) and the rows where it jumps."""
    distances: list[np.ndarray] = []
    ticks: list[tuple[float, str]] = [(0.0, ends[0][0])]
    breaks: list[int] = []
    for segment, (first, last) in zip(segments, ends, strict=True):
        start, label = ticks[-1]
        if label != first:
            ticks[-1] = (start, f"{label}|{first}")
            breaks.append(sum(len(done) for done in distances))
        distances.append(start + np.linalg.norm((segment - segment[0]) @ reciprocal, axis=1))
        ticks.append((float(distances[-1][-1]), last))
    return np.concatenate(distances), tuple(ticks), tuple(breaks)
