"""Rows as crystals."""

from __future__ import annotations

from collections.abc import Iterable

from apps.structures.models import Candidate, Structure
from kappakit.crystals import Crystal
from kappakit.stages.contracts import Item

CHUNK = 2000


def crystal_of(structure: Structure) -> Crystal:
    """The geometry of a row."""
    return Crystal(structure.cell, structure.frac, structure.numbers)


def crystals_by_id(ids: Iterable[int]) -> dict[int, Crystal]:
    """Structure id → its geometry, a query for every CHUNK of them."""
    wanted = sorted(set(ids))
    found: dict[int, Crystal] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Structure.objects.filter(pk__in=wanted[start : start + CHUNK])
        for pk, cell, frac, numbers in rows.values_list("pk", "cell", "frac", "numbers"):
            found[pk] = Crystal(cell, frac, numbers)
    return found


def start_items(candidate_ids: Iterable[int]) -> tuple[Item, ...]:
    """Candidates as they came in, in order of their index, without energies."""
    rows = Candidate.objects.filter(pk__in=list(candidate_ids)).order_by("index")
    facts = list(rows.values_list("pk", "start_id"))
    crystals = crystals_by_id(start for _, start in facts)
    return tuple(Item(str(pk), crystals[start], None) for pk, start in facts)


def items_of(candidate_ids: Iterable[int]) -> tuple[Item, ...]:
    """Relaxed candidates as a stage takes them, in order of their index; energies in eV/atom."""
    rows = Candidate.objects.filter(pk__in=list(candidate_ids), relaxed__isnull=False).order_by("index")
    facts = list(rows.values_list("pk", "relaxed_id", "relaxation__energy_per_atom"))
    crystals = crystals_by_id(relaxed for _, relaxed, _ in facts)
    return tuple(Item(str(pk), crystals[relaxed], energy) for pk, relaxed, energy in facts)
