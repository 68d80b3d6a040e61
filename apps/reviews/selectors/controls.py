"""The controls: known crystals with published κ_L (the paper's Table 1), ours beside theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from apps.campaigns.selectors import campaigns_visible
from apps.conductivity.models import KappaTensor
from apps.conductivity.selectors import full_label, labelled
from apps.conductivity.trust import scattering_words
from apps.reviews.dossier import LiteratureFacts
from apps.reviews.selectors.parts import literature_facts
from apps.reviews.selectors.ranking import HEAVY_PHONONS, HEAVY_TENSOR
from apps.reviews.tables import ControlRow, OurValue
from apps.structures.models import Outcome, ReferenceCrystal
from kappakit.reference import MEASURED

PAPER_DOI = "10.1038/s41524-025-01592-8"
"""Literature values whose citation holds this DOI are the paper's own."""


def controls(user: Any) -> tuple[ControlRow, ...]:
    """Every reference crystal, those with published κ_L first, largest value first; ours from the campaigns that the
    user may see, newest campaign first. Four queries, whatever the number of campaigns."""
    ours = _ours(user)
    references = ReferenceCrystal.objects.select_related("structure").prefetch_related("literature")
    return tuple(sorted((_row(r, ours[r.pk]) for r in references), key=_order))


def _order(row: ControlRow) -> tuple[float, str]:
    values = [v.kappa_high for v in row.literature] + ([row.paper.kappa_high] if row.paper else [])
    return -max(values, default=0.0), row.reference


def _row(reference: ReferenceCrystal, ours: Sequence[KappaTensor]) -> ControlRow:
    published = [literature_facts(v) for v in reference.literature.all()]
    return ControlRow(
        reference=reference.name,
        formula=reference.structure.formula,
        space_group=reference.space_group,
        citation=reference.citation,
        note=reference.note,
        literature=tuple(v for v in published if not _of_the_paper(v)),
        paper=next((v for v in published if _of_the_paper(v)), None),
        ours=tuple(_our_value(tensor, published) for tensor in ours),
    )


def _of_the_paper(value: LiteratureFacts) -> bool:
    return PAPER_DOI in value.citation


def _ours(user: Any) -> dict[int, list[KappaTensor]]:
    """Reference → κ_L of the candidates that are known as it."""
    known = KappaTensor.objects.filter(
        candidate__known_as__isnull=False, candidate__campaign__in=campaigns_visible(user).values("pk")
    )
    tensors = (
        labelled(known)
        .exclude(candidate__outcome=Outcome.DUPLICATE)
        .select_related("phonons__plan__potential", "candidate__campaign")
        .defer(*HEAVY_TENSOR, *(f"phonons__{name}" for name in HEAVY_PHONONS), "phonons__plan__potential__curve")
        .order_by("-candidate__campaign_id", "candidate_id", "method", "-id")
    )
    found: dict[int, list[KappaTensor]] = defaultdict(list)
    seen: set[tuple[int, str]] = set()
    for tensor in tensors:
        if (key := (tensor.candidate_id, tensor.method)) not in seen:
            seen.add(key)
            found[tensor.candidate.known_as_id].append(tensor)
    return found


def _our_value(tensor: KappaTensor, published: Sequence[LiteratureFacts]) -> OurValue:
    campaign = tensor.candidate.campaign
    purity = tensor.phonons.plan.settings.get("isotope_purity", 1.0)
    return OurValue(
        campaign_id=campaign.pk,
        campaign=campaign.name,
        candidate_id=tensor.candidate_id,
        method=tensor.method,
        potential=tensor.phonons.plan.potential.name,
        temperature=tensor.temperature,
        largest=tensor.largest,
        principal=tuple(tensor.principal),
        uvw=tuple(tensor.uvw),
        label=full_label(tensor),
        rankable=tensor.rankable,
        mesh_rule=tensor.mesh_rule,
        mesh_length=tensor.mesh_length,
        change=tensor.change,
        changes=tuple(tensor.changes) if tensor.changes else None,
        error=tensor.error,
        converged=tensor.converged,
        isotopes=tensor.isotopes,
        boundary=tensor.boundary,
        scattering=scattering_words(tensor.isotopes, purity, tensor.boundary),
        measured=tuple(value for value in published if value.method == MEASURED.get(tensor.isotopes)),
    )
