"""What the plans of the structures' stages share: batches, and the refusal of an empty pool."""

from __future__ import annotations

from collections.abc import Sequence

from apps.campaigns.models import Campaign, Step
from apps.core.errors import ApplicationError
from apps.jobs.bindings import JobSpec
from apps.structures.models import Candidate, Outcome
from apps.structures.selectors import funnel

POOL_LIMIT_S = 24 * 3600
"""Time limit of a job that takes a whole pool at once, s."""


class NothingLeft(ApplicationError):
    """No crystal reached the step; the message says what became of them."""

    code = "nothing_left"
    status = 409


def step_get(step_id: int) -> Step:
    """The step with campaign and potential."""
    return Step.objects.select_related("campaign__potential").get(pk=step_id)


def batches(
    kind: str, units: Sequence[int], size: int, label: str, queue: str, *, time_limit_s: int = 3600
) -> list[JobSpec]:
    """Jobs of at most `size` units each, in order."""
    chunks = [units[start : start + size] for start in range(0, len(units), size)]
    return [
        JobSpec(kind, tuple(map(str, chunk)), {}, f"{label} ({len(chunk)})", queue, time_limit_s=time_limit_s)
        for chunk in chunks
    ]


def whole_pool(kind: str, step: Step, size: int, label: str, queue: str) -> list[JobSpec]:
    """One job that is never split: its one unit is the campaign. Raises NothingLeft for an empty pool."""
    if not size:
        raise NothingLeft(nothing_left(step.campaign))
    unit = (str(step.campaign_id),)
    return [JobSpec(kind, unit, {}, f"{label} ({size})", queue, time_limit_s=POOL_LIMIT_S)]


def nothing_left(campaign: Campaign) -> str:
    """One sentence on where all crystals went."""
    counts = funnel(campaign)
    if not counts.total:
        return f"No crystal came in ({counts.refused} were refused): check the file, or the generator's limits."
    doubles = counts.thinned + counts.duplicates
    why = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.rejected_by_reason.items())) or "none"
    return (
        f"No crystal is left of {counts.total}: {counts.rejected} rejected ({why}), {doubles} duplicates, "
        f"{counts.screened_out} screened out, {counts.excluded} excluded. Change the protocol or the input."
    )


def outcome_count(campaign: Campaign, *outcomes: Outcome) -> int:
    """Candidates of the campaign with one of `outcomes`."""
    return Candidate.objects.filter(campaign=campaign, outcome__in=outcomes).count()
