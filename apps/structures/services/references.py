"""The reference crystals of kappakit.reference as rows."""

from __future__ import annotations

from django.db import transaction

from apps.structures.models import LiteratureValue, ReferenceCrystal, Structure
from apps.structures.services.structures import structures_record
from kappakit.reference import ReferenceCrystal as Known
from kappakit.reference import reference_crystals


@transaction.atomic
def reference_crystals_seed() -> list[ReferenceCrystal]:
    """A row for each, with its literature; idempotent. A structure without a name takes the crystal's."""
    known = list(reference_crystals().values())
    structures = structures_record([one.crystal for one in known])
    return [_seeded(one, structure) for one, structure in zip(known, structures, strict=True)]


def _seeded(known: Known, structure: Structure) -> ReferenceCrystal:
    facts = {
        "structure": structure,
        "space_group": f"{known.symbol} ({known.space_group})"[:20],
        "citation": known.citation,
        "note": known.note,
    }
    row, _ = ReferenceCrystal.objects.update_or_create(name=known.name, defaults=facts)
    Structure.objects.filter(pk=structure.pk, name="").update(name=known.name)
    for value in known.literature:
        LiteratureValue.objects.update_or_create(
            reference=row,
            method=value.method,
            citation=value.citation,
            defaults={
                "kappa_low": value.kappa_low,
                "kappa_high": value.kappa_high,
                "temperature": value.temperature,
            },
        )
    return row
