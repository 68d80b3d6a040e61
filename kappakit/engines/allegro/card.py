"""`python -m kappakit.engines.allegro.card FOLDER [--dataset FILE]`: the physical part of a carbon potential's card.

With a data set, the SOAP vectors of the training configurations and their trust limit are made as well.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kappakit.crystals import Crystal
from kappakit.engines.allegro.physics import SPECIAL_POINTS, SUPERCELL, commensurate, elastic_constants, frequencies
from kappakit.engines.allegro.physics import relaxed as at_rest
from kappakit.engines.allegro.potential import CARD, DESCRIPTORS, AllegroPotential, read_card
from kappakit.labels import read_frames
from kappakit.ports import Potential
from kappakit.reference import reference_crystals
from kappakit.relaxation import trust_soap

LABELLING_DFT_A = 3.5758
LABELLING_DFT = {
    "source": "the labelling DFT: GPAW, optB88-vdW, plane waves 600 eV",
    "diamond_a": LABELLING_DFT_A,
    "bulk_modulus": 432.0,
    "frequencies": {"Γ": [1285.0], "X": [786.0, 1045.0, 1190.0], "L": [549.0, 1031.0, 1185.0, 1249.0]},
}
LITERATURE = {
    "diamond_a": {"value": 3.567, "source": "experiment; T. Hom, W. Kiszenick, B. Post, J. Appl. Cryst. 8, 457 (1975)"},
    "lonsdaleite": {"a": 2.52, "c": 4.12, "source": "experiment; F. P. Bundy, J. S. Kasper, J. Chem. Phys. 46, 3437"},
    "elastic": {
        "C11": 1079.0,
        "C12": 124.0,
        "C44": 578.0,
        "bulk_modulus": 442.0,
        "source": "experiment; H. J. McSkimin, P. Andreatch, J. Appl. Phys. 43, 2944 (1972)",
    },
    "frequencies": {
        "Γ": [1332.0],
        "X": [807.0, 1072.0, 1185.0],
        "L": [550.0, 1029.0, 1206.0, 1252.0],
        "source": "experiment; J. L. Warren et al., Phys. Rev. 158, 805 (1967)",
    },
    "kappa_l": {"value": "2000–3500 W/(m·K) at 300 K", "source": "experiment, as collected by Guo et al. (2025)"},
}
REAL_PHONONS = ("diamond", "lonsdaleite", "bct-C4")
IMAGINARY_BELOW = -3.0
"""cm⁻¹: 0.1 THz, the protocol's tolerance."""
LATTICE_TOLERANCE = 0.005
TRUST_PERCENTILE = 99.9


def physical_part(potential: Potential) -> dict[str, Any]:
    """Lattice constants (Å), elastic constants (GPa), frequencies (cm⁻¹), and whether the shipping rule holds."""
    references = reference_crystals(frozenset({"C"}))
    crystals = {name: at_rest(potential, references[name].crystal) for name in REAL_PHONONS}
    diamond = crystals["diamond"]
    a = float((8.0 * diamond.volume / diamond.n_atoms) ** (1.0 / 3.0))
    diamond = _standard_diamond(a)
    points = np.array(list(SPECIAL_POINTS.values()))
    rows = frequencies(potential, diamond, points, SUPERCELL)
    lowest = {name: _lowest(potential, crystal) for name, crystal in crystals.items()}
    ships = min(lowest.values()) > IMAGINARY_BELOW and abs(a / LABELLING_DFT_A - 1.0) < LATTICE_TOLERANCE
    hexagonal = crystals["lonsdaleite"].lengths
    return {
        "diamond_a": round(a, 4),
        "lonsdaleite": {"a": round(float(hexagonal[0]), 4), "c": round(float(hexagonal[2]), 4)},
        "elastic": {k: round(v, 1) for k, v in elastic_constants(potential, diamond).items()},
        "frequencies": {name: _distinct(row) for name, row in zip(SPECIAL_POINTS, rows, strict=True)},
        "lowest_frequency": {name: round(value, 2) for name, value in lowest.items()},
        "ships": bool(ships),
        "labelling_dft": LABELLING_DFT,
        "literature": LITERATURE,
    }


def _standard_diamond(a: float) -> Crystal:
    """In the axes to which C11, C12, C44 and the names X and L refer."""
    cell = 0.5 * a * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    return Crystal.from_symbols(cell, [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], ["C", "C"])


def _lowest(potential: Potential, crystal: Crystal) -> float:
    """Lowest frequency on the commensurate points of a 3×3×3 supercell, the three acoustic ones at Γ aside."""
    rows = frequencies(potential, crystal, commensurate(3), 3)
    return float(min(rows[0, 3:].min(), rows[1:].min()))


def _distinct(row: np.ndarray) -> list[float]:
    """Frequencies that differ by more than 1 cm⁻¹, the acoustic zeros at Γ left out."""
    kept: list[float] = []
    for value in sorted(float(v) for v in row):
        if abs(value) > 5.0 and (not kept or value - kept[-1] > 1.0):
            kept.append(value)
    return [round(value, 1) for value in kept]


def trust_part(folder: Path, dataset: Path, potential: AllegroPotential) -> float:
    """Store the training configurations' SOAP vectors; returns the trust limit.

    The limit is the 99.9th percentile of the distances of training configurations to their nearest other one.
    """
    groups = set(read_card(folder)["split"]["train"]["groups"])
    frames = [f.crystal for f in read_frames(dataset) if f.group in groups]
    vectors = trust_soap(frames, potential.species)
    save_file({"soap": np.ascontiguousarray(vectors)}, str(folder / DESCRIPTORS))
    return float(np.percentile(_nearest(vectors), TRUST_PERCENTILE))


def _nearest(vectors: np.ndarray) -> np.ndarray:
    wide = vectors.astype(float)
    squares = (wide**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * wide @ wide.T
    np.fill_diagonal(distances, np.inf)
    return np.sqrt(np.maximum(distances.min(1), 0.0))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="(Re)compute the physical part of a model card.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", type=Path, help="extended XYZ of the training, for the trust limit")
    parser.add_argument("--kappa", type=float, nargs=2, metavar=("RTA", "LBTE"), help="κ_L of diamond, W/(m·K), 300 K")
    parser.add_argument("--kappa-method", default="", help="how the conductivity stage found it")
    given = parser.parse_args(arguments)
    potential: Any = AllegroPotential(given.folder)
    card = read_card(given.folder)
    card["physics"] = {**card.get("physics", {}), **physical_part(potential)}
    if given.kappa is not None:
        rta, lbte = given.kappa
        found = {"RTA": rta, "LBTE": lbte, "unit": "W/(m·K)", "temperature": 300, "method": given.kappa_method}
        card["physics"]["kappa_l"] = found
    if given.dataset is not None:
        trust = {"min_distance": 1.0, "min_volume": 4.0, "max_volume": 30.0}
        card["trust"] = {**trust, "soap_distance": trust_part(given.folder, given.dataset, potential)}
    (given.folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(card["physics"], indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
