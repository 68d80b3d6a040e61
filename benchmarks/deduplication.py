"""How long deduplication takes, and whether its partition is that of pymatgen's group_structures, in one run.

    python benchmarks/deduplication.py FILE [--count 400] [--without-pymatgen]

FILE: CSV (material_id, cif, energy_per_atom; also .gz), extended XYZ or any other file that an import takes. Without an
energy the order is that of the digest.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import time
from collections.abc import Sequence
from pathlib import Path

from pymatgen.analysis.structure_matcher import StructureMatcher

from kappakit.matching import structure_of
from kappakit.protocol import DeduplicateSettings
from kappakit.reading import read_files
from kappakit.stages import deduplicate
from kappakit.stages.contracts import DeduplicateInputs, DeduplicateOutputs, Item

SETTINGS = DeduplicateSettings()


class ProgressOnly:
    """Engines for a stage that asks for none."""

    def progress(self, done: int, total: int, note: str) -> None:
        """Say nothing."""


def crystals_of(path: Path, count: int) -> list[Item]:
    """The first `count` crystals with their energies in eV/atom, 0 where the file has none."""
    energies = _energies(path)
    found, refusals = read_files([(path.name, path)])
    if refusals:
        print(f"refused: {len(refusals)}, the first for: {refusals[0].detail}")
    return [Item(c.source, c.crystal, energies.get(c.label, 0.0)) for c in found[:count]]


def partition_of(outputs: DeduplicateOutputs) -> set[frozenset[str]]:
    """The groups of the stage's outputs as sets of ids."""
    groups = {key: {key} for key in outputs.representatives}
    for match in outputs.matches:
        groups[match.representative].add(match.duplicate)
    return {frozenset(group) for group in groups.values()}


def pymatgens_partition(items: Sequence[Item]) -> set[frozenset[str]]:
    """The groups of group_structures for the same crystals in the same order."""
    structures = [structure_of(item.crystal) for item in items]
    for structure, item in zip(structures, items, strict=True):
        structure.properties["id"] = item.id
    matcher = StructureMatcher(ltol=SETTINGS.ltol, stol=SETTINGS.stol, angle_tol=SETTINGS.angle_tol)
    return {frozenset(s.properties["id"] for s in group) for group in matcher.group_structures(structures)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--without-pymatgen", action="store_true")
    options = parser.parse_args()
    items = crystals_of(options.file, options.count)
    start = time.perf_counter()
    outputs = deduplicate.run(DeduplicateInputs(tuple(items)), SETTINGS, engines=ProgressOnly())  # type: ignore[arg-type]
    print(f"ours: {len(items)} crystals, {len(outputs.representatives)} unique, {time.perf_counter() - start:.1f} s")
    print(f"conflicts: {sum(bool(match.conflict) for match in outputs.matches)} of {len(outputs.matches)} matches")
    if options.without_pymatgen:
        return
    start = time.perf_counter()
    expected = pymatgens_partition(deduplicate.canonical_order(items))
    print(f"group_structures: {len(expected)} groups, {time.perf_counter() - start:.1f} s")
    print("same partition" if partition_of(outputs) == expected else "DIFFERENT partition")


def _energies(path: Path) -> dict[str, float]:
    if ".csv" not in path.suffixes:
        return {}
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = csv.DictReader(io.StringIO(text))
    return {row["material_id"]: float(row["energy_per_atom"]) for row in rows if row.get("energy_per_atom")}


if __name__ == "__main__":
    main()
