"""The dossier of one candidate: the one join over the whole house, in at most sixteen queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import actions_of, permit
from apps.campaigns.selectors import protocol_of
from apps.committees.selectors.uncertainties import newest_told, uncertainty_facts
from apps.conductivity.models import KappaPlan, KappaTensor, PhononFile, PhononResult
from apps.conductivity.selectors import labelled
from apps.core.errors import NotThere
from apps.maps.models import MapPoint, SelectionMember
from apps.maps.selectors import Near, neighbours_of
from apps.reviews import dossier as d
from apps.reviews.models import CandidateListItem, Review, ReviewKind
from apps.reviews.selectors import parts
from apps.reviews.selectors.provenance import downloads, provenance
from apps.reviews.selectors.validations import validations_of
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Import, LiteratureValue, Origin

NEIGHBOURS_SHOWN = 10
JOINED = (
    "campaign",
    "start",
    "relaxed",
    "relaxation__potential__data_set",
    "symmetry__primitive",
    "symmetry__conventional",
    "known_as",
    "generation__model",
)
HEAVY = ("generation__model__card", "generation__model__curve")


def candidate_dossier(user: Any, candidate_id: int) -> d.CandidateDossier:
    """Everything known of a candidate. Raises NotThere when it does not exist or is not the user's to see."""
    row = _row(candidate_id)
    permit(user, "view", row.campaign)
    return _assembled(row)


def candidate_page(user: Any, candidate_id: int) -> tuple[d.CandidateDossier, Campaign, frozenset[str]]:
    """The dossier without its place on the map and its validations (see candidate_place, candidate_validations), its
    campaign, and what the user may do there, in two queries fewer than a page may take. Raises NotThere as
    candidate_dossier does."""
    row = _row(candidate_id)
    may = actions_of(user, row.campaign)
    if "view" not in may:
        raise NotThere("there is no such candidate")
    return _assembled(row, placed=False), row.campaign, may


def candidate_place(user: Any, candidate_id: int) -> tuple[d.MapPlace | None, tuple[d.SelectionFacts, ...]]:
    """Place on the newest map with the nearest there, and recorded selections. Raises NotThere."""
    row = _row(candidate_id)
    permit(user, "view", row.campaign)
    return _map_place(row), _selections(row)


def candidate_validations(
    user: Any, candidate_id: int
) -> tuple[Candidate, tuple[d.ValidationFacts, ...], frozenset[str]]:
    """The candidate, its validations by DFT and what the user may do in its campaign. Raises NotThere."""
    row = _row(candidate_id)
    may = actions_of(user, row.campaign)
    if "view" not in may:
        raise NotThere("there is no such candidate")
    return row, validations_of(row), may


def _row(candidate_id: int) -> Candidate:
    rows = Candidate.objects.select_related(*JOINED).defer(*HEAVY).annotate(told=newest_told("pk"))
    row = rows.filter(pk=candidate_id).first()
    if row is None:
        raise NotThere("there is no such candidate")
    return row


def _assembled(row: Candidate, *, placed: bool = True) -> d.CandidateDossier:
    plans = _plans(row)
    phonons = _phonons(plans[0]) if plans else None
    files = _files(phonons)
    tensors = _tensors(phonons)
    reviews = _reviews(row)
    exclusions = _exclusions(row)
    imported = _import(row)
    return d.CandidateDossier(
        id=row.pk,
        index=row.index,
        campaign_id=row.campaign_id,
        campaign_name=row.campaign.name,
        name=parts.candidate_name(row) or f"#{row.index}",
        label=row.label,
        origin=row.origin,
        source=row.source,
        seed=row.seed,
        generator=row.generator,
        generation=parts.generation_facts(row),
        outcome=row.outcome,
        outcome_reason=row.outcome_reason,
        outcome_detail=row.outcome_detail,
        created_at=row.created_at,
        start=parts.structure_facts(row.start),
        relaxed=parts.structure_facts(row.relaxed) if row.relaxed else None,
        symmetry=parts.symmetry_facts(row.symmetry) if row.symmetry else None,
        relaxation=parts.relaxation_facts(row.relaxation) if row.relaxation else None,
        duplicates=_duplicates(row),
        novelty=_novelty(row),
        above_hull=row.above_hull,
        hull_note=row.hull_note,
        plan=parts.plan_facts(plans[0]) if plans else None,
        older_plans=tuple(parts.plan_facts(plan) for plan in plans[1:]),
        phonons=parts.phonon_facts(phonons) if phonons else None,
        tensors=tuple(parts.tensor_facts(t, phonons.source, plans[0].settings) for t in tensors) if phonons else (),
        uncertainty=uncertainty_facts(row.told),
        validations=validations_of(row) if placed else (),
        map_place=_map_place(row) if placed else None,
        selections=_selections(row) if placed else (),
        reviews=reviews,
        verdict=verdict(reviews),
        lists=_lists(row),
        exclusions=exclusions,
        excluded=any(e.live for e in exclusions),
        provenance=provenance(row, plans[0] if plans else None, phonons, tensors, files, imported),
        downloads=downloads(row, phonons, files),
    )


def verdict(reviews: Iterable[d.ReviewFacts]) -> str:
    """'shortlist', 'reject' or '': the newest review that is not a comment; `reviews` newest first."""
    words = [r.kind for r in reviews if r.kind != ReviewKind.COMMENT]
    return words[0] if words and words[0] != ReviewKind.RESET else ""


def _plans(row: Candidate) -> list[KappaPlan]:
    joined = ("potential__data_set", "primitive", "started_by")
    return list(KappaPlan.objects.filter(candidate=row).select_related(*joined).order_by("-id"))


def _phonons(plan: KappaPlan) -> PhononResult | None:
    return PhononResult.objects.filter(plan=plan).select_related("primitive", "modes").first()


def _files(phonons: PhononResult | None) -> list[PhononFile]:
    if phonons is None:
        return []
    return list(PhononFile.objects.filter(phonons=phonons).select_related("artifact").order_by("kind"))


def _tensors(phonons: PhononResult | None) -> list[KappaTensor]:
    return list(labelled(KappaTensor.objects.filter(phonons=phonons)).order_by("-method")) if phonons else []


def _duplicates(row: Candidate) -> tuple[d.DuplicateFacts, ...]:
    joined = ("representative__summary", "duplicate__summary", "marked_by", "undone_by")
    matches = DuplicateMatch.objects.filter(Q(representative=row) | Q(duplicate=row)).select_related(*joined)
    return tuple(_duplicate(match, row) for match in matches.order_by("id"))


def _duplicate(match: DuplicateMatch, row: Candidate) -> d.DuplicateFacts:
    is_duplicate = match.duplicate_id == row.pk
    return d.DuplicateFacts(
        id=match.pk,
        role="duplicate" if is_duplicate else "representative",
        other=parts.candidate_ref(match.representative if is_duplicate else match.duplicate),
        rms_forward=match.rms_forward,
        rms_backward=match.rms_backward,
        energy_difference=match.energy_difference,
        conflict=match.conflict,
        marked_by=str(match.marked_by or ""),
        reason=match.reason,
        created_at=match.created_at,
        live=match.undone_at is None,
        undone_at=match.undone_at,
        undone_by=str(match.undone_by or ""),
        undo_reason=match.undo_reason,
    )


def _novelty(row: Candidate) -> d.NoveltyFacts:
    known = row.known_as
    published = LiteratureValue.objects.filter(reference=known).order_by("-kappa_high") if known else ()
    return d.NoveltyFacts(
        level=row.novelty,
        known_as=known.name if known else "",
        rms=row.novelty_rms,
        citation=known.citation if known else "",
        literature=tuple(parts.literature_facts(value) for value in published),
    )


def _map_place(row: Candidate) -> d.MapPlace | None:
    point = MapPoint.objects.filter(candidate=row).select_related("map").order_by("-map__version").first()
    if point is None:
        return None
    space = protocol_of(row.campaign).neighbours.space
    try:
        near, note = neighbours_of(row, k=NEIGHBOURS_SHOWN, space=space), ""
    except NotThere as missing:
        near, note = [], missing.message
    return d.MapPlace(point.map_id, point.map.version, point.x, point.y, space, _near(near), note)


def _near(near: Sequence[Near]) -> tuple[d.MapNeighbour, ...]:
    rows = Candidate.objects.select_related("summary").in_bulk([n.candidate_id for n in near])
    return tuple(
        d.MapNeighbour(
            candidate=parts.candidate_ref(rows[n.candidate_id]),
            distance=n.distance,
            kappa=getattr(getattr(rows[n.candidate_id], "summary", None), "kappa_rta", None),
            label=getattr(getattr(rows[n.candidate_id], "summary", None), "trust_label", ""),
        )
        for n in near
    )


def _selections(row: Candidate) -> tuple[d.SelectionFacts, ...]:
    members = SelectionMember.objects.filter(candidate=row).select_related("selection", "centre__summary")
    return tuple(
        d.SelectionFacts(
            selection_id=m.selection_id,
            kind=m.selection.kind,
            sweep=m.selection.sweep,
            order=m.order,
            distance=m.distance,
            how=m.how,
            space=str(m.selection.settings.get("space", "")),
            centre=parts.candidate_ref(m.centre) if m.centre else None,
        )
        for m in members.order_by("selection_id", "order")
    )


def _reviews(row: Candidate) -> tuple[d.ReviewFacts, ...]:
    rows = Review.objects.filter(candidate=row).select_related("author").order_by("-id")
    return tuple(d.ReviewFacts(r.pk, str(r.author), r.kind, r.text, r.created_at) for r in rows)


def _lists(row: Candidate) -> tuple[d.ListFacts, ...]:
    items = CandidateListItem.objects.filter(candidate=row, removed_at__isnull=True, list__archived_at__isnull=True)
    rows = items.select_related("list", "added_by").order_by("list__name")
    return tuple(d.ListFacts(i.list_id, i.list.name, i.note, str(i.added_by), i.added_at) for i in rows)


def _exclusions(row: Candidate) -> tuple[d.ExclusionFacts, ...]:
    rows = Exclusion.objects.filter(candidate=row).select_related("excluded_by", "undone_by").order_by("-id")
    return tuple(
        d.ExclusionFacts(
            id=e.pk,
            reason=e.reason,
            excluded_by=str(e.excluded_by),
            created_at=e.created_at,
            live=e.undone_at is None,
            undone_at=e.undone_at,
            undone_by=str(e.undone_by or ""),
            undo_reason=e.undo_reason,
        )
        for e in rows
    )


def _import(row: Candidate) -> Import | None:
    """The file that the crystal came in; of an archive's member the archive."""
    name = row.source.rpartition("#")[0].partition("/")[0]
    if not name or row.origin != Origin.IMPORTED:
        return None
    return Import.objects.filter(campaign_id=row.campaign_id, file_name=name).select_related("artifact").first()
