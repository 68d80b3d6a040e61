"""Labels by DFT: rattled cells of the most uncertain crystal, asked for at the gate, and waited for."""

from __future__ import annotations

from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.committees.models import Committee
from apps.committees.selectors import committee_at, oracle_of, round_at, round_counts
from apps.committees.services import CommitteeMissing, round_propose
from apps.committees.services.rounds import round_key
from apps.committees.stages.materials import committee_settings, step_get
from apps.dft.selectors import why_open
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate
from apps.structures.selectors import crystal_of, step_of
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.seeds import crystal_seed
from kappakit.stages.contracts import Item, RattleInputs, RattleOutputs

STAGE = "dft_labels"


def plan(step_id: int) -> list[JobSpec]:
    """One job that draws the rattles. Raises OracleMissing, so that nothing is drawn that nobody could answer."""
    step = step_get(step_id)
    oracle_of(protocol_of(step.campaign).dft)
    candidate = Candidate.objects.get(pk=step.candidates[0])
    params = {"seed": crystal_seed(step.campaign.seed, candidate.index), "settings": committee_settings(step.campaign)}
    return [JobSpec(STAGE, (str(candidate.pk),), params, f"Rattled cells of #{candidate.index}", LIGHT)]


def load(job: Job) -> Loaded:
    """The relaxed crystal's primitive cell where its symmetry is known."""
    row = Candidate.objects.select_related("symmetry__primitive", "relaxed").get(pk=int(job.units[0]))
    cell = row.symmetry.primitive if row.symmetry else row.relaxed
    inputs = RattleInputs(Item(str(row.pk), crystal_of(cell), None), job.params["seed"])
    return Loaded(inputs, job.params["settings"])


def save(job: Job, outputs: RattleOutputs, artifacts: Any) -> set[int]:
    """The request at the gate."""
    step = step_of(job)
    candidate = Candidate.objects.get(pk=int(job.units[0]))
    round_propose(
        committee=_committee(step.campaign, step.sweep, step.iteration),
        candidate=candidate,
        outputs=outputs,
        seed=job.params["seed"],
    )
    return {candidate.pk}


def holds(step_id: int) -> str:
    """Who is waited for: an approver, a queue, an upload."""
    step = step_get(step_id)
    return why_open(step.campaign, round_key(step.sweep, step.iteration))


def report(step_id: int) -> dict[str, Any]:
    """Labels that came; those that failed, were denied or withdrawn never stop an iteration."""
    step = step_get(step_id)
    asked = round_at(step.campaign, step.sweep, step.iteration)
    done, others = round_counts(asked) if asked else (0, 0)
    return report_as_dict(CountReport(done, others))


def _committee(campaign: Campaign, sweep: int, iteration: int) -> Committee:
    found = committee_at(campaign, sweep, iteration)
    if found is None:
        raise CommitteeMissing("No committee asked for these labels.")
    return found


BINDING = Binding(STAGE, plan=plan, load=load, save=save, report=report, holds=holds)
