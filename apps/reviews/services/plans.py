"""A person starts κ_L that waits, or tries a failed one again."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.conductivity import services as conductivity
from apps.conductivity.models import KappaPlan
from apps.jobs.models import Job
from apps.reviews.services.summaries import candidate_summaries_refresh


@transaction.atomic
def plan_start(*, plan: KappaPlan, user: Any) -> Job:
    """Start a waiting plan and show it on the lists. Raises as conductivity.services.plan_start."""
    job = conductivity.plan_start(plan=plan, user=user)
    candidate_summaries_refresh([plan.candidate_id])
    return job


@transaction.atomic
def plan_retry(*, plan: KappaPlan, user: Any) -> Job:
    """Try a failed or cancelled one again. Raises as conductivity.services.plan_retry."""
    job = conductivity.plan_retry(plan=plan, user=user)
    candidate_summaries_refresh([plan.candidate_id])
    return job
