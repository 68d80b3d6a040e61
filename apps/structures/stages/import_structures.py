"""Import: one job a file; crystals become candidates, what is broken a refusal."""

from __future__ import annotations

from typing import Any

from apps.artifacts.services import path_of_digest
from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Import, Origin
from apps.structures.selectors import FAILED, campaign_elements, references_named, references_within, step_of
from apps.structures.services import Newcomer, candidates_add, refusals_add
from apps.structures.stages.arrivals import arrivals_report
from apps.structures.stages.planning import step_get
from kappakit.crystals import Crystal
from kappakit.stages.contracts import ImportInputs, ImportOutputs, Refusal

STAGE = "import_structures"
FOLDER = "imported"


def plan(step_id: int) -> list[JobSpec]:
    """A job for each file."""
    imports = Import.objects.filter(campaign=step_get(step_id).campaign).order_by("id")
    return [JobSpec(STAGE, (str(given.pk),), {}, f"Import {given.file_name}", LIGHT) for given in imports]


def load(job: Job) -> Loaded:
    """The file under its own name; it lies in the stage's folder."""
    given = _import(job)
    path = f"{FOLDER}/{given.pk}"
    return Loaded(ImportInputs(((given.file_name, path),)), files={path: str(path_of_digest(given.artifact.sha256))})


def save(job: Job, outputs: ImportOutputs, artifacts: Any) -> set[int]:
    """Candidates, refusals, and the reference crystals that the protocol's sample names."""
    given, campaign = _import(job), step_of(job).campaign
    newcomers = [Newcomer(c.crystal, c.source, label=c.label) for c in outputs.crystals]
    touched = candidates_add(campaign, Origin.IMPORTED, newcomers)
    refusals_add(campaign, STAGE, outputs.refusals)
    Import.objects.filter(pk=given.pk).update(taken=len(outputs.crystals), refused=len(outputs.refusals))
    return touched | references_join(campaign)


def references_join(campaign: Campaign) -> set[int]:
    """The reference crystals that the protocol names, where they hold no element that the campaign's crystals lack."""
    at_home = {row.pk for row in references_within(campaign_elements(campaign))}
    named = [row for row in references_named(protocol_of(campaign).sample.references) if row.pk in at_home]
    newcomers = [
        Newcomer(
            Crystal(row.structure.cell, row.structure.frac, row.structure.numbers),
            f"reference crystal {row.name}",
            label=row.name,
        )
        for row in named
    ]
    return candidates_add(campaign, Origin.REFERENCE, newcomers)


def failed(job: Job, message: str) -> set[int]:
    """The whole file is refused with what the job said."""
    refusals_add(step_of(job).campaign, STAGE, [Refusal(_import(job).file_name, FAILED, message)])
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Crystals taken and refused."""
    return arrivals_report(step_get(step_id).campaign, STAGE, (Origin.IMPORTED, Origin.REFERENCE))


def _import(job: Job) -> Import:
    (unit,) = job.units
    return Import.objects.select_related("artifact").get(pk=int(unit))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report, failed=failed)
