"""What follows when a job ended, in the transaction that ended it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from apps.conductivity.services import validations_after
from apps.reviews.services.summaries import candidate_summaries_refresh
from apps.worker.advance import advance_group
from apps.worker.registry import BINDINGS

if TYPE_CHECKING:
    from apps.jobs.models import Job


def job_over(job: Job, touched: set[int]) -> None:
    """What waited for a DFT calculation, and summaries of the candidates that changed, now; the campaign's next step
    once others see the rows."""
    changed = touched | validations_after(job)
    if changed:
        candidate_summaries_refresh(changed)
    transaction.on_commit(lambda: advance_group(job.group, BINDINGS), robust=True)
