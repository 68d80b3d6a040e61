"""Reference crystals in a campaign: which belong to its elements, and how its potential relaxed them."""

from __future__ import annotations

from collections.abc import Iterable

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate, LiteratureValue, ReferenceCrystal, Relaxation
from apps.structures.selectors.crystals import crystals_by_id
from kappakit.stages.contracts import ReferenceItem


def campaign_elements(campaign: Campaign) -> frozenset[str]:
    """The chemical symbols of the campaign's candidates."""
    systems = Candidate.objects.filter(campaign=campaign).values_list("start__chemical_system", flat=True).distinct()
    return frozenset(symbol for system in systems.order_by() for symbol in system.split("-"))


def references_within(elements: Iterable[str]) -> list[ReferenceCrystal]:
    """The reference crystals made of `elements` only, by name."""
    known = frozenset(elements)
    rows = ReferenceCrystal.objects.select_related("structure").order_by("name")
    return [row for row in rows if known.issuperset(row.structure.chemical_system.split("-"))]


def references_named(names: str) -> list[ReferenceCrystal]:
    """Those of the names (separated by spaces) that exist, in the order of the names."""
    wanted = names.split()
    rows = {row.name: row for row in ReferenceCrystal.objects.select_related("structure").filter(name__in=wanted)}
    return [rows[name] for name in wanted if name in rows]


def reference_items(campaign: Campaign, digest: str) -> tuple[ReferenceItem, ...]:
    """The references of the campaign's elements as its potential relaxed them under settings `digest`."""
    rows = references_within(campaign_elements(campaign))
    known = set(LiteratureValue.objects.values_list("reference_id", flat=True))
    ended = Relaxation.objects.filter(
        start__in=[row.structure_id for row in rows],
        potential=campaign.potential,
        settings_digest=digest,
        end__isnull=False,
    )
    ends = {start: (end, energy) for start, end, energy in ended.values_list("start_id", "end_id", "energy_per_atom")}
    crystals = crystals_by_id(end for end, _ in ends.values())
    return tuple(
        ReferenceItem(row.name, crystals[end], energy, row.pk in known)
        for row in rows
        if row.structure_id in ends
        for end, energy in [ends[row.structure_id]]
    )
