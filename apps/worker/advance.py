"""Campaigns move on: what comes next is asked of the pipeline, planned into jobs, and reported when they are over."""

from __future__ import annotations

from apps.jobs.models import Job


def job_over(job: Job, touched: set[int]) -> None:
    """After a job ended, inside its transaction."""
