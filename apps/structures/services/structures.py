"""Geometries become rows, each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.structures.models import Structure
from kappakit.crystals import Crystal

BATCH = 1000


def structure_store(crystal: Crystal) -> Structure:
    """The row of a geometry, made where there is none."""
    (row,) = structures_record([crystal])
    return row


def structures_record(crystals: Sequence[Crystal]) -> list[Structure]:
    """The row of each geometry, in order; equal geometries share one."""
    rows = Structure.objects.in_bulk(structure_ids(crystals).values())
    by_digest = {row.digest: row for row in rows.values()}
    return [by_digest[crystal.digest] for crystal in crystals]


def structure_ids(crystals: Iterable[Crystal]) -> dict[str, int]:
    """Digest → id of the row, made where there is none; two queries for every BATCH of them.

    Inserted in order of digest, so that two workers never wait for each other in a circle.
    """
    once = {crystal.digest: crystal for crystal in crystals}
    digests = sorted(once)
    found: dict[str, int] = {}
    for start in range(0, len(digests), BATCH):
        some = digests[start : start + BATCH]
        Structure.objects.bulk_create((_row(once[digest]) for digest in some), ignore_conflicts=True)
        found.update(Structure.objects.filter(digest__in=some).values_list("digest", "pk"))
    return found


def _row(crystal: Crystal) -> Structure:
    return Structure(
        digest=crystal.digest,
        **crystal.to_dict(),
        n_atoms=crystal.n_atoms,
        formula=crystal.formula[:200],
        chemical_system=crystal.chemical_system[:100],
        volume_per_atom=crystal.volume / crystal.n_atoms,
        density=crystal.density,
    )
