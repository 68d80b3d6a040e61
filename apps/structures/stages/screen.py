"""Screen: the symmetry of unique candidates; simple, symmetric ones are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, Outcome, SymmetryReport
from apps.structures.selectors import FAILED, items_of, settings_digest, step_of, unique_pool
from apps.structures.services import rows_set, structure_ids
from apps.structures.stages.planning import batches, outcome_count, step_get
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import Refusal, ScreenInputs, ScreenOutputs, SymmetryFacts

STAGE = "screen"
BATCH = 256
MISSED = "screen"


def plan(step_id: int) -> list[JobSpec]:
    """Batches of unique candidates that are not judged yet."""
    pool = unique_pool(step_get(step_id).campaign, Outcome.PENDING)
    return batches(STAGE, list(pool.values_list("pk", flat=True)), BATCH, "Screen", LIGHT)


def load(job: Job) -> Loaded:
    """The batch."""
    return Loaded(ScreenInputs(items_of(map(int, job.units))), asdict(protocol_of(step_of(job).campaign).screen))


def save(job: Job, outputs: ScreenOutputs, artifacts: Any) -> set[int]:
    """Symmetry reports; each candidate is kept or screened out, with the reason."""
    campaign = step_of(job).campaign
    reports = _reports(campaign, outputs.facts)
    relaxed = _relaxed_of(outputs.facts)
    ids = [int(fact.id) for fact in outputs.facts]
    rows_set(Candidate, ids, symmetry=[reports[relaxed[pk]] for pk in ids])
    kept = [int(fact.id) for fact in outputs.facts if fact.passes]
    Candidate.objects.filter(pk__in=kept, outcome=Outcome.PENDING).update(outcome=Outcome.KEPT)
    missed = [Refusal(fact.id, MISSED, fact.reason) for fact in outputs.facts if not fact.passes]
    return set(ids) | _screened_out([*missed, *outputs.refusals])


def failed(job: Job, message: str) -> set[int]:
    """The crystals of the batch are out, with what the job said."""
    return _screened_out([Refusal(unit, FAILED, message) for unit in job.units])


def report(step_id: int) -> dict[str, Any]:
    """Crystals kept and screened out."""
    campaign = step_get(step_id).campaign
    kept = unique_pool(campaign, Outcome.KEPT).count()
    return report_as_dict(CountReport(kept, outcome_count(campaign, Outcome.SCREENED_OUT)))


def _relaxed_of(facts: Sequence[SymmetryFacts]) -> dict[int, int]:
    rows = Candidate.objects.filter(pk__in=[int(fact.id) for fact in facts])
    return dict(rows.values_list("pk", "relaxed_id"))


def _reports(campaign: Campaign, facts: Sequence[SymmetryFacts]) -> dict[int, int]:
    """Structure id → id of its SymmetryReport under the campaign's tolerances."""
    digest = settings_digest(asdict(protocol_of(campaign).screen))
    relaxed = _relaxed_of(facts)
    cells = structure_ids(cell for fact in facts for cell in (fact.primitive, fact.conventional))
    rows = [
        SymmetryReport(
            structure_id=relaxed[int(fact.id)],
            settings_digest=digest,
            number=fact.number,
            symbol=fact.symbol,
            point_group=fact.point_group,
            crystal_system=fact.crystal_system,
            operations=fact.operations,
            n_primitive=fact.n_primitive,
            wyckoff=list(fact.wyckoff),
            primitive_id=cells[fact.primitive.digest],
            conventional_id=cells[fact.conventional.digest],
            dimensionality=fact.dimensionality,
        )
        for fact in facts
    ]
    SymmetryReport.objects.bulk_create(rows, ignore_conflicts=True)
    found = SymmetryReport.objects.filter(structure_id__in=relaxed.values(), settings_digest=digest)
    return dict(found.values_list("structure_id", "pk"))


def _screened_out(refusals: Sequence[Refusal]) -> set[int]:
    ids = [int(refusal.source) for refusal in refusals]
    pending = set(Candidate.objects.filter(pk__in=ids, outcome=Outcome.PENDING).values_list("pk", flat=True))
    out = [refusal for refusal in refusals if int(refusal.source) in pending]
    rows_set(
        Candidate,
        [int(refusal.source) for refusal in out],
        outcome=[Outcome.SCREENED_OUT.value] * len(out),
        outcome_reason=[refusal.reason[:50] for refusal in out],
        outcome_detail=[refusal.detail for refusal in out],
    )
    return pending


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report, failed=failed)
