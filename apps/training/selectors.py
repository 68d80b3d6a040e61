"""Questions about trained models, and how a stage gets one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Count, QuerySet

from apps.artifacts.services import path_of_digest
from apps.core.errors import NotThere
from apps.jobs.models import Job
from apps.jobs.selectors import of_group, why_waiting
from apps.training.models import ModelFile, ModelKind, ModelState, TrainedModel, TrainingFile
from kappakit.ports import GeneratorCurvePoint, GeneratorRef, PotentialRef, TrainingCurvePoint

POTENTIAL = "potential"
"""Folder of the potential inside a stage's folder."""
TEACHER = "teacher"
MEMBER = "committee"
"""Key in a model's options: the committee that it is a member of; lists of models leave it out."""
GENERATOR = "generator"
"""Folder of the generator inside a stage's folder."""
COLUMNS = {
    ModelKind.POTENTIAL: tuple(field.name for field in fields(TrainingCurvePoint)),
    ModelKind.GENERATOR: tuple(field.name for field in fields(GeneratorCurvePoint)),
}


@dataclass(frozen=True)
class FileFacts:
    """A stored file of a model; `size` in bytes."""

    name: str
    artifact_id: int
    sha256: str
    size: int


@dataclass(frozen=True)
class QualitySettings:
    """How the crystals of an assessment were sampled (see kappakit.protocol.GenerateSettings)."""

    sampler: str
    tries: int
    prior: str


@dataclass(frozen=True)
class ReconstructionQuality:
    """Test crystals encoded and decoded again: `match` the share found again, `rmse` their mean distance in units of
    (V/N)^(1/3), None when none was found."""

    crystals: int
    match: float | None
    rmse: float | None


@dataclass(frozen=True)
class GenerationQuality:
    """Generated crystals beside the test crystals: shares `valid`, `plausible`, `recall` (COV-R), `precision` (COV-P);
    Wasserstein distances of density in g/cm³ and of energy in eV/atom; seconds a crystal. None: not measured."""

    crystals: int
    seconds_each: float | None
    valid: float | None
    plausible: float | None
    recall: float | None
    precision: float | None
    density_wasserstein: float | None
    energy_wasserstein: float | None


@dataclass(frozen=True)
class GeneratorQuality:
    """What a generator was measured to be worth; `potential` gave the energies, '' where none did."""

    settings: QualitySettings
    potential: str
    reconstruction: ReconstructionQuality
    generation: GenerationQuality


@dataclass(frozen=True)
class ModelDetail:
    """A model with its files, its curve by column (see TrainingCurvePoint, GeneratorCurvePoint) and its jobs.

    `job`: the newest one that trains it, None for a shipped model; `assessment`: the newest one that measures it,
    `quality`: what was measured last.
    `why_waiting`, `why_unmeasured`: why either job does not go on, in one sentence, '' when nothing holds it.
    """

    model: TrainedModel
    files: tuple[FileFacts, ...]
    curve: dict[str, list[float]]
    job: Job | None
    assessment: Job | None
    quality: GeneratorQuality | None
    why_waiting: str
    why_unmeasured: str
    campaigns: int


def assessment_group(model_id: int) -> str:
    """The group of the jobs that measure a generator."""
    return f"assessment:{model_id}"


def training_group(model_id: int) -> str:
    """The group of a training's jobs."""
    return f"training:{model_id}"


def models_list() -> QuerySet[TrainedModel]:
    """All models but the members of committees, newest first, without card and curve."""
    used = Count("campaigns", distinct=True) + Count("campaigns_generated", distinct=True)
    rows = TrainedModel.objects.exclude(options__has_key=MEMBER)
    rows = rows.select_related("created_by", "teacher").annotate(campaign_count=used)
    return rows.defer("card", "curve", "teacher__card", "teacher__curve").order_by("-id")


def potentials_ready() -> QuerySet[TrainedModel]:
    """The potentials that a campaign may use, by name; a committee's members serve their committee only."""
    return _ready(ModelKind.POTENTIAL).exclude(options__has_key=MEMBER)


def generators_ready() -> QuerySet[TrainedModel]:
    """The trained generators that a campaign may use, by name."""
    return _ready(ModelKind.GENERATOR)


def potential_for(species: Iterable[str]) -> TrainedModel | None:
    """The newest shipped potential that knows all of `species` and passes its shipping rule, None where none does."""
    shipped = potentials_ready().filter(created_by=None, warning="").exclude(sha256="").order_by("-id")
    wanted = set(species)
    return next((row for row in shipped if wanted <= set(row.species)), None)


def likeness_possible(chemical_system: str) -> bool:
    """Whether a trained generator that is ready knows every element of 'C' or 'B-N'."""
    return generators_ready().filter(species__contains=chemical_system.split("-")).exists()


def _ready(kind: ModelKind) -> QuerySet[TrainedModel]:
    return TrainedModel.objects.filter(kind=kind, state=ModelState.READY).defer("card", "curve").order_by("name")


def model_get(model_id: int) -> TrainedModel:
    """A model; raises NotThere."""
    found = TrainedModel.objects.select_related("created_by", "teacher", "data_set").filter(pk=model_id).first()
    if found is None:
        raise NotThere("There is no such model.")
    return found


def model_with_digest(sha256: str) -> TrainedModel:
    """The model of these weights; raises NotThere."""
    found = TrainedModel.objects.filter(sha256=sha256, state=ModelState.READY).order_by("id").first()
    if found is None:
        raise NotThere(f"There is no model with the weights {sha256[:8]}.")
    return found


def model_detail(model_id: int) -> ModelDetail:
    """All that a page shows of a model; raises NotThere."""
    model = model_get(model_id)
    job = of_group(training_group(model.pk)).last()
    assessment = of_group(assessment_group(model.pk)).last() if model.kind == ModelKind.GENERATOR else None
    return ModelDetail(
        model=model,
        files=tuple(_files(model)),
        curve=curve_by_column(model.curve, ModelKind(model.kind)),
        job=job,
        assessment=assessment,
        quality=quality_of(model.card),
        why_waiting=why_waiting(job) if job else "",
        why_unmeasured=why_waiting(assessment) if assessment else "",
        campaigns=model.campaigns.count() + model.campaigns_generated.count(),
    )


def curve_by_column(rows: Iterable[Iterable[float]], kind: ModelKind = ModelKind.POTENTIAL) -> dict[str, list[float]]:
    """Column name → values, one a point of the curve."""
    columns: dict[str, list[float]] = {name: [] for name in COLUMNS[kind]}
    for row in rows:
        for name, value in zip(COLUMNS[kind], row, strict=True):
            columns[name].append(value)
    return columns


def quality_of(card: Mapping[str, Any]) -> GeneratorQuality | None:
    """The measured part of a generator's card, None where it was never measured."""
    found = card.get("quality")
    if not found:
        return None
    settings, again, made = (found.get(part, {}) for part in ("settings", "reconstruction", "generation"))
    return GeneratorQuality(
        QualitySettings(settings.get("sampler", ""), settings.get("tries", 1), settings.get("prior", "")),
        found.get("potential", {}).get("name", ""),
        ReconstructionQuality(again.get("crystals", 0), again.get("match"), again.get("rmse")),
        GenerationQuality(made.get("crystals", 0), *(made.get(field.name) for field in fields(GenerationQuality)[1:])),
    )


def is_testless(model: TrainedModel) -> bool:
    """Whether a generator's card says that there are no test crystals to measure it against."""
    return model.card.get("data", {}).get("test") == 0


def potential_ref(model: TrainedModel, folder: str = POTENTIAL) -> PotentialRef:
    """How a stage names the potential; its files lie in `folder` of the stage's folder (see model_files)."""
    return PotentialRef(model.engine, model.name, folder if model.sha256 else "", model.sha256)


def generator_ref(model: TrainedModel, folder: str = GENERATOR) -> GeneratorRef:
    """How a stage names the generator; its files lie in `folder` of the stage's folder (see model_files)."""
    return GeneratorRef(model.engine, model.name, folder, model.sha256)


def training_files(model: TrainedModel) -> list[tuple[str, str, str]]:
    """(part, file name, content-addressed path) of the files that a generator learns from."""
    rows = TrainingFile.objects.filter(model=model).select_related("artifact").order_by("id")
    return [(row.part, row.file_name, str(path_of_digest(row.artifact.sha256))) for row in rows]


def model_files(model: TrainedModel, folder: str = POTENTIAL) -> dict[str, str]:
    """'potential/<name>' → content-addressed path, for Loaded.files. One query."""
    return {f"{folder}/{file.name}": str(path_of_digest(file.sha256)) for file in _files(model)}


def _files(model: TrainedModel) -> list[FileFacts]:
    rows: Any = ModelFile.objects.filter(model=model).select_related("artifact").order_by("name")
    return [FileFacts(r.name, r.artifact_id, r.artifact.sha256, r.artifact.size) for r in rows]
