"""Plans: recorded, started by the sweep or by a person, tried again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from apps.campaigns.permissions import permit
from apps.campaigns.selectors import protocol_of
from apps.conductivity.models import KappaPlan, PlanState
from apps.conductivity.selectors import conductivity_settings, minutes_spent
from apps.conductivity.sweeps import minutes_allowed
from apps.core.errors import Conflict
from apps.jobs import services as jobs
from apps.jobs.bindings import HEAVY, JobSpec
from apps.jobs.models import Job, State

SECONDS_PER_EVALUATION = 0.05
"""An uncompiled potential on one slow core takes less for an atom: only a limit."""
SLOWER = 30
"""How much longer than expected a Boltzmann equation may take before it is given up: only a limit, too."""


def plan_job(plan: KappaPlan) -> JobSpec:
    """The job of one crystal's κ_L: the same for the sweep and for a person, so that nothing is computed twice."""
    limit = 3600 + 60 * SLOWER * plan.expected_minutes + SECONDS_PER_EVALUATION * plan.evaluations
    return JobSpec(
        kind="conductivity",
        units=(str(plan.pk),),
        params={"potential": plan.potential_id, "settings": plan.settings_digest},
        label=f"κ_L of {plan.candidate}",
        queue=HEAVY,
        time_limit_s=int(limit),
    )


def plan_group(plan: KappaPlan) -> str:
    """The group of a plan that a person started: it belongs to no step."""
    return f"kappa:{plan.pk}"


def plans_started(plans: Iterable[KappaPlan]) -> list[JobSpec]:
    """The sweep begins these (done ones stay done): PLANNED or FAILED → STARTED, and the jobs to queue."""
    due = [plan for plan in plans if plan.state != PlanState.DONE]
    KappaPlan.objects.filter(pk__in=[p.pk for p in due], state__in=(PlanState.PLANNED, PlanState.FAILED)).update(
        state=PlanState.STARTED, error=""
    )
    return [plan_job(plan) for plan in due]


@transaction.atomic
def plan_start(*, plan: KappaPlan, user: Any) -> Job:
    """Start a plan that waits. Needs 'operate'; raises Conflict when it does not wait any more. Reopens no step.

    The candidate's summary is the caller's to refresh: reviews.services does both.
    """
    permit(user, "operate", plan.candidate.campaign)
    moved = KappaPlan.objects.filter(pk=plan.pk, state=PlanState.PLANNED).update(
        state=PlanState.STARTED, started_by=user
    )
    if not moved:
        raise Conflict("This κ_L does not wait for a start any more.")
    (job,) = jobs.enqueue([plan_job(plan)], group=plan_group(plan))
    return job


@transaction.atomic
def plan_retry(*, plan: KappaPlan, user: Any) -> Job:
    """Compute a κ_L again that failed, or whose job was cancelled. Needs 'operate'; raises Conflict otherwise."""
    permit(user, "operate", plan.candidate.campaign)
    failed = KappaPlan.objects.filter(pk=plan.pk, state=PlanState.FAILED)
    moved = failed.update(state=PlanState.STARTED, started_by=user, error="")
    if not moved and not _was_cancelled(plan):
        raise Conflict("Only a κ_L that failed or was cancelled can be tried again.")
    (job,) = jobs.enqueue([plan_job(plan)], group=plan_group(plan))
    return jobs.retry(job=job) if job.state in (State.FAILED, State.CANCELLED) else job


def plan_resumed(*, plan: KappaPlan) -> None:
    """FAILED → STARTED: its job runs again, because its step was tried again."""
    KappaPlan.objects.filter(pk=plan.pk, state=PlanState.FAILED).update(state=PlanState.STARTED, error="")


def plan_failed(*, plan_id: int, message: str) -> int:
    """STARTED → FAILED with what happened; the candidate's id."""
    KappaPlan.objects.filter(pk=plan_id, state=PlanState.STARTED).update(state=PlanState.FAILED, error=message)
    return KappaPlan.objects.values_list("candidate_id", flat=True).get(pk=plan_id)


def lbte_of(plan: KappaPlan) -> str:
    """`lbte` of ConductivityInputs: 'yes' where LBTE ranks, else 'auto'."""
    return "yes" if conductivity_settings(plan.settings).method == "lbte" else "auto"


def minutes_of(plan: KappaPlan) -> float:
    """What a plan may take with finer meshes and LBTE. Who starts one by hand grants it a whole sweep's minutes."""
    settings = conductivity_settings(plan.settings)
    if plan.started_by_id:
        return max(settings.max_sweep_minutes, plan.expected_minutes)
    spent = minutes_spent(plan.candidate.campaign, but=plan)
    return minutes_allowed(plan.expected_minutes, settings, spent=spent)


def symprec_of(plan: KappaPlan) -> float:
    """Å, of the campaign's screen."""
    return protocol_of(plan.candidate.campaign).screen.symprec


def _was_cancelled(plan: KappaPlan) -> bool:
    newest = Job.objects.filter(kind="conductivity", units=[str(plan.pk)]).order_by("-id").first()
    return plan.state == PlanState.STARTED and newest is not None and newest.state in (State.CANCELLED, State.FAILED)
