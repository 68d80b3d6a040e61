"""Questions about plans, phonons and conductivities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import campaigns_visible, protocol_of
from apps.committees.selectors import final_potential
from apps.committees.selectors.uncertainties import with_uncertainty
from apps.conductivity.models import (
    KappaMethod,
    KappaPlan,
    KappaTensor,
    PhononResult,
    PlanState,
    Validation,
    ValidationState,
)
from apps.conductivity.trust import completed, validation_word
from apps.core.errors import ApplicationError, NotThere
from apps.dft.models import OPEN, Decision, DftCalculation, DftRequest
from apps.dft.selectors import decided_words
from apps.jobs.models import Job
from apps.structures.models import Candidate, Outcome
from apps.training.models import TrainedModel
from kappakit.protocol import ConductivitySettings, DftSettings, Protocol

VALIDATION_CELLS, VALIDATE = "validation_cells", "validate"


class PotentialMissing(ApplicationError):
    """A campaign without a potential computes nothing."""

    code = "potential_missing"
    status = 409


def potential_of(campaign: Campaign, sweep: int | None = None) -> TrainedModel:
    """What κ_L is computed with: the newest final fit of the committee (that `sweep` has), else the campaign's own
    potential; raises PotentialMissing without one."""
    fitted = final_potential(campaign, sweep)
    if fitted is not None:
        return fitted
    if campaign.potential is None:
        raise PotentialMissing(f"“{campaign.name}” has no potential: choose one before κ_L can be computed.")
    return campaign.potential


def settings_digest(protocol: Protocol) -> str:
    """sha256 of all that decides a plan: the conductivity settings and the symmetry tolerances."""
    content = {"conductivity": protocol.as_dict()["conductivity"], "symmetry": symmetry_tolerances(protocol)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def symmetry_tolerances(protocol: Protocol) -> dict[str, float]:
    """symprec Å and angle_tolerance ° of the screen."""
    return {"symprec": protocol.screen.symprec, "angle_tolerance": protocol.screen.angle_tolerance}


def open_candidates(campaign: Campaign, ids: Iterable[int]) -> list[Candidate]:
    """Those of `ids` that a step not yet started still takes: relaxed, neither duplicate nor excluded; in order."""
    rows = Candidate.objects.filter(campaign=campaign, pk__in=list(ids), relaxed__isnull=False)
    rows = rows.exclude(outcome__in=(Outcome.DUPLICATE, Outcome.REJECTED))
    live = Q(exclusions__isnull=False, exclusions__undone_at__isnull=True)
    return list(rows.exclude(pk__in=rows.filter(live).values("pk")).order_by("pk"))


def plans_for(campaign: Campaign, ids: Iterable[int], sweep: int | None = None) -> QuerySet[KappaPlan]:
    """The plans of these candidates by the present settings and by the potential that `sweep` has (None: the newest).

    What an earlier sweep planned keeps the potential that it was planned with.
    """
    potential = final_potential(campaign, sweep) or campaign.potential
    digest = settings_digest(protocol_of(campaign))
    return KappaPlan.objects.filter(
        candidate__campaign=campaign, candidate_id__in=list(ids), potential=potential, settings_digest=digest
    )


def ultrahigh(campaign: Campaign, ids: Iterable[int] | None = None) -> list[int]:
    """Ids of the candidates above the protocol's limit by its ranking method, rankable, largest κ_L first.

    `ids` None: of the whole campaign.
    """
    settings = protocol_of(campaign).conductivity
    rows = KappaTensor.objects.filter(
        candidate__campaign=campaign, method=settings.method.upper(), rankable=True, largest__gt=settings.ultrahigh
    ).exclude(candidate__outcome=Outcome.DUPLICATE)
    if ids is not None:
        rows = rows.filter(candidate_id__in=list(ids))
    ordered = rows.order_by("-largest", "candidate_id").values_list("candidate_id", flat=True)
    return list(dict.fromkeys(ordered))


def plans_to_spread(campaign: Campaign, ids: Iterable[int], sweep: int) -> list[KappaPlan]:
    """Whose κ_L every member of the committee computes too: done ones of these, largest first, as many as asked."""
    rows = plans_for(campaign, ids, sweep).filter(state=PlanState.DONE, phonons__tensors__method=KappaMethod.RTA)
    ordered = rows.select_related("candidate").order_by("-phonons__tensors__largest", "candidate_id")
    return list(ordered[: protocol_of(campaign).committee.spread_count])


def waiting_plans(campaign: Campaign) -> QuerySet[KappaPlan]:
    """Plans that wait for somebody to start them, most promising first."""
    rows = KappaPlan.objects.filter(candidate__campaign=campaign, state=PlanState.PLANNED)
    best = F("promise").desc(nulls_last=True)
    return rows.select_related("candidate", "potential").order_by(best, "evaluations", "id")


def waiting_note(plan: KappaPlan) -> str:
    """'planned: 95 supercells, 3 min: start?'"""
    supercells = plan.supercells_fc3 + plan.supercells_fc2
    return f"planned: {supercells} supercells, {plan.expected_minutes:.3g} min: start?"


def minutes_spent(campaign: Campaign, *, but: KappaPlan | None = None) -> float:
    """Minutes that the campaign's κ_L took, and those that the ones under way are expected to take."""
    plans = KappaPlan.objects.filter(candidate__campaign=campaign)
    if but is not None:
        plans = plans.exclude(pk=but.pk)
    taken = plans.aggregate(total=Sum("phonons__seconds"))["total"] or 0.0
    open_ones = plans.filter(state=PlanState.STARTED, phonons__isnull=True)
    return taken / 60 + sum(plan.expected_minutes for plan in open_ones)


def phonons_of_job(job: Job) -> PhononResult | None:
    """What a job of force sets or of a plan left: its phonons with tensors and files; None before it is done."""
    rows = PhononResult.objects.filter(job=job).select_related("primitive")
    return rows.prefetch_related("tensors", "files__artifact").first()


def labelled(rows: QuerySet[KappaTensor]) -> QuerySet[KappaTensor]:
    """`rows` with what `full_label` reads, without a query more."""
    return with_uncertainty(rows)


def full_label(row: Any) -> tuple[str, ...]:
    """The trust label of a row of `labelled`: as it was stored, with what the committee says by now."""
    return completed(row.label, uncertainty=row.energy_std, members=row.committee_members)


def conductivity_settings(data: dict[str, Any]) -> ConductivitySettings:
    """The settings of a snapshot."""
    return Protocol.from_dict({"conductivity": data}).conductivity


# --- validations ------------------------------------------------------------------------------------------------------


def validation_group(validation: Validation) -> str:
    """The group of its jobs: they are cancelled with their campaign."""
    return f"campaign:{validation.candidate.campaign_id}:validation:{validation.pk}"


def validation_get(user: Any, validation_id: int) -> Validation:
    """A validation that `user` may see; raises NotThere."""
    rows = Validation.objects.filter(candidate__campaign__in=campaigns_visible(user))
    found = rows.select_related("candidate__campaign").filter(pk=validation_id).first()
    if found is None:
        raise NotThere("There is no such validation.")
    return found


def dft_settings(validation: Validation) -> DftSettings:
    """The settings of its snapshot."""
    return Protocol.from_dict({"dft": validation.settings}).dft


def validation_source(validation: Validation) -> str:
    """Whose phonons these are, for people; a surrogate is called one."""
    settings = dft_settings(validation)
    if settings.engine == "surrogate":
        return f"surrogate in DFT's place: {settings.surrogate}"
    return f"DFT: {settings.engine} {settings.functional}, {settings.cutoff:g} eV"


def calculations_now(request: DftRequest) -> list[DftCalculation]:
    """The newest version of each calculation of a request, in order, with its outcome."""
    rows = request.calculations.select_related("outcome").order_by("order", "-version", "-id")
    return list(rows.distinct("order"))


def obstacle(rows: Sequence[DftCalculation]) -> str:
    """Why a request can never give all that a validation needs as it stands, '' while it can: one was denied, or none
    is open any more and one failed or was withdrawn."""
    denied = [row for row in rows if row.state == Decision.DENIED]
    if denied:
        return f"{_named(denied[0])}: {decided_words(denied[0])}."
    gone = [row for row in rows if row.state in (Decision.FAILED, Decision.VOIDED)]
    if not gone or any(row.state in OPEN for row in rows):
        return ""
    first = gone[0]
    return f"{_named(first)} {first.get_state_display()}: {first.message or first.get_failure_display()}".strip()


def relaxed_before(validation: Validation) -> Validation | None:
    """An earlier validation of the candidate whose relaxation by the same settings from the same cell is done."""
    rows = Validation.objects.filter(
        candidate_id=validation.candidate_id,
        settings=validation.settings,
        cell_potential_id=validation.cell_potential_id,
        relax_request__calculations__state=Decision.DONE,
    )
    return rows.exclude(pk=validation.pk).select_related("relax_request").order_by("-id").first()


def validation_word_of(candidate_id: int) -> str:
    """What the candidate's newest finished validation adds to its trust labels, '' without one."""
    rows = Validation.objects.filter(candidate_id=candidate_id, state=ValidationState.DONE).order_by("-id")
    newest = rows.values_list("verdict", "settings__engine").first()
    return validation_word(*newest) if newest else ""


def _named(row: DftCalculation) -> str:
    return row.label[:1].upper() + row.label[1:]
