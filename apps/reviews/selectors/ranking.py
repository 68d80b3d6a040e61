"""The ranked table: one campaign, one method, only what may be compared, and a count of what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from apps.campaigns.models import Campaign
from apps.conductivity.models import Dynamical, KappaMethod, KappaPlan, KappaTensor, PlanState
from apps.conductivity.selectors import full_label, labelled
from apps.reviews.dossier import CandidateRef
from apps.reviews.selectors.parts import candidate_ref
from apps.reviews.tables import LeftOut, RankedRow, RankedTable
from apps.structures.models import Exclusion, Outcome
from kappakit.protocol import Protocol

HEAVY_PHONONS = ("bands", "dos", "cumulative", "residuals", "notes")
HEAVY_TENSOR = ("kappa", "principal_by_temperature", "directions", "temperatures")


def ranked_table(campaign: Campaign, method: str = "") -> RankedTable:
    """The campaign's κ_L by `method` ('rta' | 'lbte' in any case; empty: the protocol's), largest principal first.

    Rows hold only rankable crystals: stable phonons, symmetry kept, three-dimensional, neither excluded nor duplicate.
    Layered and molecular ones are ranked in `layered`. Two queries, whatever the number of candidates. Asks nothing
    about permissions: the caller has shown that the campaign may be seen.
    """
    settings = Protocol.from_dict(campaign.protocol).conductivity
    wanted = KappaMethod((method or settings.method).upper())
    plans = newest_plans(campaign)
    tensors = {t.phonons.plan_id: t for t in _tensors(campaign, wanted)}
    reasons = {p.pk: _left_out(p, p.pk in tensors) for p in plans}
    shown = [tensors[p.pk] for p in plans if not reasons[p.pk]]
    flat = [t for t in shown if t.phonons.plan.dimensionality < 3]
    return RankedTable(
        method=wanted.value,
        method_title=wanted.label,
        temperature=settings.temperature,
        ultrahigh=settings.ultrahigh,
        rows=_rows([t for t in shown if t.rankable], settings.ultrahigh),
        layered=_rows(flat, settings.ultrahigh),
        left_out=LeftOut(**Counter(reason for reason in reasons.values() if reason)),
        potentials=tuple(sorted({t.phonons.plan.potential.name for t in shown})),
        warnings=tuple(sorted({t.phonons.plan.potential.warning for t in shown} - {""})),
    )


def newest_plans(campaign: Campaign) -> list[KappaPlan]:
    """The newest plan of each candidate that has one, its phonons' verdict and `is_excluded` beside it. One query."""
    live = Exclusion.objects.filter(candidate=OuterRef("candidate"), undone_at__isnull=True)
    return list(
        KappaPlan.objects.filter(candidate__campaign=campaign)
        .select_related("phonons", "candidate")
        .only("state", "symmetry_kept", "dimensionality", "candidate__outcome", "phonons__dynamical")
        .annotate(is_excluded=Exists(live))
        .order_by("candidate_id", "-id")
        .distinct("candidate_id")
    )


def _left_out(plan: KappaPlan, has_tensor: bool) -> str:
    """The field of LeftOut that takes this plan, '' when the table holds it."""
    phonons = getattr(plan, "phonons", None)
    dynamical = phonons.dynamical if phonons else ""
    reasons = {
        "excluded": plan.is_excluded,
        "duplicate": plan.candidate.outcome == Outcome.DUPLICATE,
        "failed": plan.state == PlanState.FAILED,
        "waiting": plan.state == PlanState.PLANNED,
        "running": plan.state == PlanState.STARTED,
        "imaginary": dynamical == Dynamical.IMAGINARY,
        "borderline": dynamical == Dynamical.BORDERLINE,
        "symmetry_broken": not plan.symmetry_kept,
        "other_method": not has_tensor,
    }
    return next((name for name, applies in reasons.items() if applies), "")


def _tensors(campaign: Campaign, method: str) -> list[KappaTensor]:
    return list(
        labelled(KappaTensor.objects.filter(candidate__campaign=campaign, method=method))
        .select_related("phonons__plan__potential", "candidate__summary", "candidate__known_as", "candidate__symmetry")
        .defer(
            *HEAVY_TENSOR,
            *(f"phonons__{name}" for name in HEAVY_PHONONS),
            *(f"phonons__plan__potential__{name}" for name in ("card", "curve")),
        )
    )


def _rows(tensors: Sequence[KappaTensor], ultrahigh: float) -> tuple[RankedRow, ...]:
    ordered = sorted(tensors, key=lambda t: (-t.largest, t.candidate_id))
    return tuple(_row(rank, t, ultrahigh) for rank, t in enumerate(ordered, 1))


def _row(rank: int, tensor: KappaTensor, ultrahigh: float) -> RankedRow:
    candidate, plan = tensor.candidate, tensor.phonons.plan
    named: CandidateRef = candidate_ref(candidate)
    return RankedRow(
        rank=rank,
        candidate_id=candidate.pk,
        index=candidate.index,
        name=named.name,
        formula=named.formula,
        largest=tensor.largest,
        principal=tuple(tensor.principal),
        uvw=tuple(tensor.uvw),
        temperature=tensor.temperature,
        method=tensor.method,
        mesh=tuple(tensor.mesh),
        potential=plan.potential.name,
        space_group_number=plan.space_group_number,
        space_group=plan.space_group,
        n_primitive=candidate.symmetry.n_primitive if candidate.symmetry else 0,
        dimensionality=plan.dimensionality,
        known_as=candidate.known_as.name if candidate.known_as else "",
        novelty=candidate.novelty,
        above_hull=candidate.above_hull,
        label=full_label(tensor),
        ultrahigh=tensor.largest > ultrahigh,
    )
