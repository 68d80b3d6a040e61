"""The ranked table: one campaign, one method, only what may be compared, and a count of what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef

from apps.campaigns.models import Campaign
from apps.conductivity.models import Dynamical, KappaMethod, KappaPlan, KappaTensor, PlanState
from apps.conductivity.selectors import full_label, labelled
from apps.conductivity.trust import scattering_words
from apps.reviews.dossier import CandidateRef
from apps.reviews.selectors.estimates import estimate_quality
from apps.reviews.selectors.parts import candidate_ref
from apps.reviews.tables import LeftOut, RankedRow, RankedTable
from apps.structures.models import Exclusion, Outcome
from kappakit.protocol import Protocol

HEAVY_PHONONS = ("bands", "dos", "cumulative", "residuals", "notes")
HEAVY_TENSOR = ("kappa", "principal_by_temperature", "directions", "temperatures", "mesh_steps")
DIAMOND = "diamond"
COMPARED = frozenset({"", "borderline"})
"""Reasons of being left out with which a tensor still stands for what its method gives."""
JUDGED = frozenset({"", "other_method"})
"""Reasons with which the estimate is judged by the RTA value of a rankable tensor."""
SAME_TEMPERATURE = 0.5
"""K."""
MOST_NAMED = 4


def ranked_table(campaign: Campaign, method: str = "") -> RankedTable:
    """The campaign's κ_L by `method` ('rta' | 'lbte' in any case; empty: the protocol's): those that converged on
    their mesh first, largest principal value first, then the others.

    Rows hold only rankable crystals: stable phonons, symmetry kept, three-dimensional, neither excluded nor duplicate.
    Layered and molecular ones are ranked in `layered`. Two queries, whatever the number of candidates. Asks nothing
    about permissions: the caller has shown that the campaign may be seen.
    """
    settings = Protocol.from_dict(campaign.protocol).conductivity
    wanted = KappaMethod((method or settings.method).upper())
    plans = newest_plans(campaign)
    computed = _tensors(campaign)
    tensors = {t.phonons.plan_id: t for t in computed if t.method == wanted}
    reasons = {p.pk: _left_out(p, p.pk in tensors) for p in plans}
    shown = [tensors[p.pk] for p in plans if not reasons[p.pk]]
    compared = [tensors[p.pk] for p in plans if p.pk in tensors and reasons[p.pk] in COMPARED]
    rows = _rows([t for t in shown if t.rankable], settings.ultrahigh)
    return RankedTable(
        method=wanted.value,
        method_title=wanted.label,
        temperature=settings.temperature,
        ultrahigh=settings.ultrahigh,
        scattering=scattering_words(settings.isotopes, settings.isotope_purity, settings.boundary),
        rows=rows,
        layered=_rows([t for t in shown if t.phonons.plan.dimensionality < 3], settings.ultrahigh),
        left_out=LeftOut(**Counter(reason for reason in reasons.values() if reason)),
        potentials=tuple(sorted({t.phonons.plan.potential.name for t in shown})),
        warnings=tuple(sorted({t.phonons.plan.potential.warning for t in shown} - {""})),
        alarms=better_than_diamond(rows, [t for t in compared if _is_diamond(t)]),
        estimates=estimate_quality(
            t for t in computed if t.method == KappaMethod.RTA and reasons.get(t.phonons.plan_id) in JUDGED
        ),
    )


def better_than_diamond(rows: Sequence[RankedRow], diamonds: Iterable[KappaTensor]) -> tuple[str, ...]:
    """A sentence where rows exceed the diamond of the same campaign by the same method and temperature."""
    known = [(tensor.temperature, tensor.largest) for tensor in diamonds]
    names = [row.name or row.formula for row in rows if row.known_as != DIAMOND and _exceeds(row, known)]
    if not names:
        return ()
    told = names[:MOST_NAMED] + ([f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])
    who = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    verb, whom = ("conducts", "it") if len(names) == 1 else ("conduct", "them")
    return (
        f"{who} {verb} better than diamond by the same method: check mesh, force constants and potential before "
        f"believing {whom}.",
    )


def _exceeds(row: RankedRow, diamonds: Sequence[tuple[float, float]]) -> bool:
    """Whether the row lies above every diamond at its temperature, where there is one; (K, W/(m·K)) each."""
    values = [largest for temperature, largest in diamonds if abs(temperature - row.temperature) < SAME_TEMPERATURE]
    return bool(values) and row.largest > max(values)


def _is_diamond(tensor: KappaTensor) -> bool:
    known = tensor.candidate.known_as
    return known is not None and known.name == DIAMOND


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


def _tensors(campaign: Campaign) -> list[KappaTensor]:
    """By either method."""
    return list(
        labelled(KappaTensor.objects.filter(candidate__campaign=campaign))
        .select_related("phonons__plan__potential", "candidate__summary", "candidate__known_as", "candidate__symmetry")
        .defer(
            *HEAVY_TENSOR,
            *(f"phonons__{name}" for name in HEAVY_PHONONS),
            *(f"phonons__plan__potential__{name}" for name in ("card", "curve")),
        )
    )


def _rows(tensors: Sequence[KappaTensor], ultrahigh: float) -> tuple[RankedRow, ...]:
    ordered = sorted(tensors, key=lambda t: (not t.converged, -t.largest, t.candidate_id))
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
        mesh_rule=tensor.mesh_rule,
        mesh_length=tensor.mesh_length,
        change=tensor.change,
        changes=tuple(tensor.changes) if tensor.changes else None,
        error=tensor.error,
        converged=tensor.converged,
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
