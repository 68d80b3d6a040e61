"""The final fit of a sweep: one potential on all that is labelled, validated by the fixed test set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.committees.decisions import epochs_of
from apps.committees.models import LabelSetKind
from apps.committees.selectors import label_count
from apps.committees.services import final_fit_record
from apps.committees.stages.materials import (
    TIME_LIMIT_S,
    campaign_get,
    model_outputs,
    set_of,
    step_get,
    training_loaded,
)
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.jobs.selectors import heavy_queue
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.seeds import crystal_seed
from kappakit.stages.contracts import TrainOutputs

STAGE = "final_fit"


def plan(step_id: int) -> list[JobSpec]:
    """One job."""
    step = step_get(step_id)
    set_of(step.campaign, LabelSetKind.START)
    size = protocol_of(step.campaign).committee.size
    params = {
        "sweep": step.sweep,
        "seed": crystal_seed(step.campaign.seed, size),
        "labels": label_count(step.campaign),
    }
    unit = (str(step.campaign_id),)
    return [JobSpec(STAGE, unit, params, "Final fit", heavy_queue(), time_limit_s=TIME_LIMIT_S)]


def load(job: Job) -> Loaded:
    """All labels; nothing held out, from fresh weights."""
    campaign = campaign_get(int(job.units[0]))
    size = protocol_of(campaign).committee.size
    return training_loaded(campaign, index=size, seed=job.params["seed"], overrides=_overrides(campaign))


def save(job: Job, outputs: TrainOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """The potential, to be seen and used by anybody; no candidate changes yet."""
    campaign = campaign_get(int(job.units[0]))
    final_fit_record(
        campaign=campaign,
        sweep=job.params["sweep"],
        labels=job.params["labels"],
        seed=job.params["seed"],
        overrides=_overrides(campaign),
        outputs=outputs,
        files=artifacts,
    )
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Configurations that it learned from."""
    step = step_get(step_id)
    start = set_of(step.campaign, LabelSetKind.START)
    fit = step.campaign.final_fits.get(sweep=step.sweep)
    return report_as_dict(CountReport(start.frames + fit.labels))


def _overrides(campaign: Campaign) -> dict[str, float]:
    return epochs_of(protocol_of(campaign).committee, warm=False)


BINDING = Binding(STAGE, plan=plan, load=load, files=model_outputs, save=save, report=report)
