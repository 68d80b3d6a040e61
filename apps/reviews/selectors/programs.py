"""What a program may list across campaigns: each row only through something that its user may see."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Model, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign, Step
from apps.campaigns.selectors import campaigns_visible
from apps.conductivity.models import KappaPlan, KappaStudy, KappaTensor, PhononFile, PhononResult, Validation
from apps.conductivity.selectors import labelled
from apps.core.errors import NotThere
from apps.dft.models import DftFile, DftRequest
from apps.jobs.models import SPLIT, Attempt, Job
from apps.maps.models import Selection, SoapMap
from apps.reviews.models import CandidateList, CandidateListItem, Export
from apps.reviews.selectors.ranking import HEAVY_PHONONS, HEAVY_TENSOR
from apps.structures.models import Candidate, Import, ReferenceCrystal, Structure, SymmetryReport
from apps.training.models import ModelFile, TrainedModel

HEAVY_MODEL = ("phonons__plan__potential__card", "phonons__plan__potential__curve")


def tensors_visible(user: Any) -> QuerySet[KappaTensor]:
    """κ_L of the visible campaigns' candidates, those of brought force sets too for a superuser; arrays deferred."""
    rows = labelled(KappaTensor.objects.all())
    rows = rows.select_related("phonons__plan__potential", "candidate", "phonons__primitive")
    rows = rows.defer(*HEAVY_TENSOR, *(f"phonons__{name}" for name in HEAVY_PHONONS), *HEAVY_MODEL)
    return rows if user.is_superuser else rows.filter(candidate__campaign__in=_campaigns(user))


def structures_visible(user: Any) -> QuerySet[Structure]:
    """Geometries of the visible campaigns (start, relaxed, primitive, conventional) and of the reference crystals."""
    if user.is_superuser:
        return Structure.objects.all()
    mine = Candidate.objects.filter(campaign__in=_campaigns(user))
    reports = SymmetryReport.objects.filter(candidates__in=mine)
    plans = KappaPlan.objects.filter(candidate__in=mine)
    sources = [
        mine.values("start"), mine.values("relaxed"), reports.values("primitive"), reports.values("conventional"),
        plans.values("primitive"), ReferenceCrystal.objects.values("structure"),
    ]  # fmt: skip
    return Structure.objects.filter(_any("pk", sources))


def jobs_visible(user: Any) -> QuerySet[Job]:
    """Jobs of the visible campaigns' steps, plans, DFT, studies, exports, of trainings; a split job is its halves."""
    rows = Job.objects.exclude(error_code=SPLIT)
    if user.is_superuser:
        return rows
    campaigns = _campaigns(user)
    groups = [
        _group("step", Step.objects.filter(campaign__in=campaigns)),
        _group("kappa", KappaPlan.objects.filter(candidate__campaign__in=campaigns)),
        _group("export", Export.objects.filter(campaign__in=campaigns)),
        _group("neighbours", Campaign.objects.filter(pk__in=campaigns)),
        _group("kappa-plan", Selection.objects.filter(campaign__in=campaigns)),
        _dft_groups(campaigns),
        _beside_candidates("validation", Validation, campaigns),
        _beside_candidates("study", KappaStudy, campaigns),
        _group("training", TrainedModel.objects.all()),
        _group("assessment", TrainedModel.objects.all()),
    ]
    return rows.filter(_any("group", groups))


def attempts_of(job: Job) -> QuerySet[Attempt]:
    """A job's attempts, newest first, with their logs."""
    return Attempt.objects.filter(job=job).select_related("log").order_by("-number")


def artifact_visible(user: Any, sha256: str) -> Artifact:
    """A file that something visible holds: κ_L files, maps, imports, exports, logs, models. Raises NotThere."""
    found = Artifact.objects.filter(sha256=sha256)
    if not user.is_superuser:
        found = found.filter(_any("pk", _artifact_sources(user, sha256)))
    return _there(found.order_by("pk").first(), "file")


def plan_visible(user: Any, plan_id: int) -> KappaPlan:
    """A plan of a visible campaign's candidate. Raises NotThere."""
    rows = KappaPlan.objects.filter(pk=plan_id, candidate__campaign__in=_campaigns(user))
    return _there(rows.select_related("candidate__campaign", "potential").first(), "plan")


def lists_visible(user: Any) -> QuerySet[CandidateList]:
    """The visible campaigns' candidate lists that are not archived."""
    return CandidateList.objects.filter(campaign__in=_campaigns(user), archived_at__isnull=True).select_related(
        "campaign", "owner"
    )


def list_items(row: CandidateList) -> QuerySet[CandidateListItem]:
    """What is on a list now, each with its candidate's summary."""
    live = CandidateListItem.objects.filter(list=row, removed_at__isnull=True)
    return live.select_related("candidate__summary", "added_by")


def exports_visible(user: Any) -> QuerySet[Export]:
    """The visible campaigns' exports, with file, list and who asked."""
    rows = Export.objects.filter(campaign__in=_campaigns(user))
    return rows.select_related("artifact", "list", "requested_by", "campaign").defer("candidates")


def _there(row: Any, noun: str) -> Any:
    if row is None:
        raise NotThere(f"There is no such {noun} that you may see.")
    return row


def _campaigns(user: Any) -> QuerySet[Any]:
    return campaigns_visible(user).order_by().values("pk")


def _any(field: str, sources: list[QuerySet[Any, Any]]) -> Q:
    """Q that `field` is in any of these single-column queries."""
    found = Q()
    for source in sources:
        found |= Q(**{f"{field}__in": source})
    return found


def _group(prefix: str, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    named = Concat(Value(f"{prefix}:"), Cast("pk", CharField()), output_field=CharField())
    return rows.order_by().annotate(group_name=named).values("group_name")


def _dft_groups(campaigns: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Names as apps.dft.selectors.group_of makes them."""
    campaign, request = Cast("campaign_id", CharField()), Cast("pk", CharField())
    named = Concat(Value("campaign:"), campaign, Value(":dft:"), request, output_field=CharField())
    rows = DftRequest.objects.filter(campaign__in=campaigns).order_by()
    return rows.annotate(group_name=named).values("group_name")


def _beside_candidates(kind: str, model: Any, campaigns: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Names as validation_group and study_group of apps.conductivity.selectors make them."""
    campaign, own = Cast("candidate__campaign_id", CharField()), Cast("pk", CharField())
    named = Concat(Value("campaign:"), campaign, Value(f":{kind}:"), own, output_field=CharField())
    rows = model.objects.filter(candidate__campaign__in=campaigns).order_by()
    return rows.annotate(group_name=named).values("group_name")


def _artifact_sources(user: Any, sha256: str) -> list[QuerySet[Any, Any]]:
    campaigns = _campaigns(user)
    planned = Q(plan__candidate__campaign__in=campaigns)
    phonons = PhononResult.objects.filter(planned | Q(validation__candidate__campaign__in=campaigns))
    return [
        _holding(PhononFile.objects.filter(phonons__in=phonons), "artifact", sha256),
        _holding(phonons, "modes", sha256),
        _holding(SoapMap.objects.filter(campaign__in=campaigns), "descriptors", sha256),
        _holding(Import.objects.filter(campaign__in=campaigns), "artifact", sha256),
        _holding(Export.objects.filter(campaign__in=campaigns), "artifact", sha256),
        _holding(DftFile.objects.filter(calculation__campaign__in=campaigns), "artifact", sha256),
        _holding(Attempt.objects.filter(job__in=jobs_visible(user)), "log", sha256),
        _holding(ModelFile.objects.all(), "artifact", sha256),
        _holding(TrainedModel.objects.all(), "data_set", sha256),
    ]


def _holding(rows: QuerySet[Model], field: str, sha256: str) -> QuerySet[Any, Any]:
    return rows.filter(**{f"{field}__sha256": sha256}).order_by().values(field)
