"""What the events missed: leases that ended, campaigns that stopped short, wake-ups that were lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction

from apps.conductivity.services import studies_reconcile, validations_reconcile
from apps.jobs.bindings import Binding
from apps.jobs.dispatch import poll, wake
from apps.jobs.selectors import is_abroad, wakes_missing
from apps.jobs.services import expired_return
from apps.reviews.services.summaries import candidate_summaries_refresh
from apps.worker.advance import advance_all
from apps.worker.alone import alone
from apps.worker.endings import job_over

logger = logging.getLogger(__name__)

LOCK = 0x6B617070
"""Advisory lock: one reconcile at a time, whatever host it runs on."""


def reconcile(bindings: Mapping[str, Binding]) -> bool:
    """One pass; False when another process is at it. Clusters are asked elsewhere: they may hang."""
    with alone(LOCK) as mine:
        if mine:
            _return_expired(bindings)
            _validations()
            studies_reconcile()
            advance_all(bindings)
            for queue, times in wakes_missing().items():
                wake(queue, times=times)
            if is_abroad():
                poll()
        return mine


@transaction.atomic
def _return_expired(bindings: Mapping[str, Binding]) -> None:
    for job in expired_return():
        logger.warning("job %s failed: %s", job.pk, job.error_message)
        binding = bindings.get(job.kind)
        job_over(job, binding.failed(job, job.error_message) if binding else set())


@transaction.atomic
def _validations() -> None:
    """Decisions that no job follows: denials, withdrawals."""
    candidate_summaries_refresh(validations_reconcile())
