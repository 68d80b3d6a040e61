"""Convergence studies: which there are, and what a new one would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.campaigns.selectors import campaigns_visible
from apps.conductivity.models import Dynamical, KappaPlan, KappaStudy, StudyState
from apps.conductivity.selectors import conductivity_settings
from apps.conductivity.study_values import PARAMETERS, Expected, Varied, expected_minutes, first_values, varied
from apps.core.errors import Conflict, NotThere
from apps.structures.models import Candidate

NO_PLAN = "This crystal has no plan for its κ_L yet: its primitive cell and what a κ_L takes are not known."
IMAGINARY = "The phonons of this crystal have imaginary modes: it has no κ_L whose convergence could be studied."


@dataclass(frozen=True)
class StudyOffer:
    """A study that may be started: values to begin with, about how many minutes each takes, and all of them."""

    varied: Varied
    values: tuple[float, ...]
    minutes: tuple[float, ...]
    running: int | None

    @property
    def total(self) -> float:
        """min."""
        return sum(self.minutes)


def study_group(study: KappaStudy) -> str:
    """The group of its jobs: they are cancelled with their campaign."""
    return f"campaign:{study.candidate.campaign_id}:study:{study.pk}"


def studies_visible(user: Any) -> QuerySet[KappaStudy]:
    """Studies of candidates that the user may see."""
    rows = KappaStudy.objects.filter(candidate__campaign__in=campaigns_visible(user))
    return rows.select_related("candidate__campaign", "plan__potential", "requested_by", "cancelled_by")


def study_get(user: Any, study_id: int) -> KappaStudy:
    """A study that the user may see; raises NotThere."""
    found = studies_visible(user).filter(pk=study_id).first()
    if found is None:
        raise NotThere("There is no such study.")
    return found


def plan_to_study(candidate: Candidate) -> KappaPlan:
    """The candidate's newest plan. Raises Conflict without one, and where its phonons have imaginary modes."""
    plans = KappaPlan.objects.filter(candidate=candidate).select_related("potential", "primitive", "phonons")
    found = plans.order_by("-id").first()
    if found is None:
        raise Conflict(NO_PLAN)
    phonons = getattr(found, "phonons", None)
    if phonons is not None and phonons.dynamical == Dynamical.IMAGINARY:
        raise Conflict(IMAGINARY)
    return found


def study_offers(candidate: Candidate) -> list[StudyOffer]:
    """What may be studied of it, each with values to begin with. Raises as plan_to_study."""
    plan = plan_to_study(candidate)
    settings = conductivity_settings(plan.settings)
    running = dict(
        KappaStudy.objects.filter(candidate=candidate, state=StudyState.RUNNING).values_list("parameter", "pk")
    )
    offers = []
    for name in PARAMETERS:
        parameter = varied(name, settings)
        values = first_values(parameter)
        offers.append(StudyOffer(parameter, values, minutes_of_values(plan, parameter, values), running.get(name)))
    return offers


def minutes_of_values(plan: KappaPlan, parameter: Varied, values: Sequence[float]) -> tuple[float, ...]:
    """About how many minutes each value takes by the plan's estimate, on the machine that planned."""
    settings, present = conductivity_settings(plan.settings), _expected(plan)
    return tuple(expected_minutes(value, parameter, present, settings) for value in values)


def _expected(plan: KappaPlan) -> Expected:
    """The plan's minutes without the shorter mesh by which every κ_L is tested."""
    step = conductivity_settings(plan.settings).mesh_step
    both = 1.0 + step**-6 if step > 1 else 1.0
    return Expected(plan.expected_force_minutes or 0.0, plan.expected_bte_minutes / both)
