"""The labelled configurations to begin with, and the fixed test set: of an uploaded file, or of the shipped one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.artifacts import services as artifacts
from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.committees.models import LabelSetKind
from apps.committees.selectors import label_set, oracle_of
from apps.committees.services import LabelsRefused, label_sets_record
from apps.committees.stages.materials import campaign_get, committee_settings, set_of, step_get
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.jobs.selectors import heavy_queue
from apps.structures.selectors import unique_pool
from apps.training.models import TrainedModel
from apps.training.selectors import model_files, model_get, potential_ref
from kappakit.dft import method_digest, surrogate_method, surrogate_version
from kappakit.errors import InputError
from kappakit.labels import read_geometries, shipped_labels
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.protocol import DftSettings
from kappakit.stages.contracts import StartSetInputs, StartSetOutputs

STAGE = "start_set"
TIME_LIMIT_S = 12 * 3600
PACKED = b"\x1f\x8b"
"""How a file of gzip begins."""


def plan(step_id: int) -> list[JobSpec]:
    """One job. Raises LabelsRefused without labels and for labels of other elements, OracleMissing."""
    campaign = step_get(step_id).campaign
    source = _source(campaign)
    _elements_checked(campaign, source)
    oracle = oracle_of(protocol_of(campaign).dft)
    params = {
        "artifact": source.pk,
        "seed": campaign.seed,
        "oracle": oracle.pk if oracle else None,
        "settings": committee_settings(campaign),
    }
    queue = heavy_queue() if oracle else LIGHT
    return [
        JobSpec(STAGE, (str(campaign.pk),), params, "Labels to begin with", queue, time_limit_s=TIME_LIMIT_S),
    ]


def load(job: Job) -> Loaded:
    """The file, and the potential that labels it anew where one stands for DFT."""
    campaign = campaign_get(int(job.units[0]))
    source = Artifact.objects.get(pk=job.params["artifact"])
    oracle = model_get(job.params["oracle"]) if job.params["oracle"] else None
    name = _name(artifacts.path(source))
    inputs = StartSetInputs(
        file=name,
        method=_surrogate_digest(protocol_of(campaign).dft, oracle) if oracle else f"file:{source.sha256}",
        seed=job.params["seed"],
        oracle=potential_ref(oracle) if oracle else None,
    )
    files = {name: str(artifacts.path(source))} | (model_files(oracle) if oracle else {})
    return Loaded(inputs, job.params["settings"], files)


def files(outputs: StartSetOutputs) -> dict[str, str]:
    """The two files."""
    return {"start": outputs.start, "test": outputs.test}


def save(job: Job, outputs: StartSetOutputs, stored: Mapping[str, int]) -> set[int]:
    """Start set and test set; no candidate changes."""
    source = Artifact.objects.get(pk=job.params["artifact"])
    label_sets_record(campaign=campaign_get(int(job.units[0])), outputs=outputs, files=stored, source=source.name)
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Configurations to start with, and those of the test set beside them."""
    campaign = step_get(step_id).campaign
    return report_as_dict(CountReport(set_of(campaign, LabelSetKind.START).frames))


def _source(campaign: Campaign) -> Artifact:
    """The campaign's file; raises LabelsRefused where it has none."""
    if protocol_of(campaign).committee.start == "upload":
        given = label_set(campaign, LabelSetKind.UPLOAD)
        if given is None:
            raise LabelsRefused(
                "The protocol begins with uploaded labels and there are none: clone the campaign and upload a labelled "
                "extended XYZ file (energy, forces, stress) to it before the start."
            )
        return given.artifact
    path = shipped_labels()
    if not path.exists():
        raise LabelsRefused("This installation lacks the labels that come with the program: install it again.")
    return artifacts.store(path, kind="labels", name=path.name)


def _elements_checked(campaign: Campaign, source: Artifact) -> None:
    """Members know the elements that they were taught, and no other."""
    taught = _elements(artifacts.path(source), source.name)
    systems = unique_pool(campaign).order_by().values_list("relaxed__chemical_system", flat=True).distinct()
    strange = {symbol for system in systems for symbol in system.split("-")} - taught
    if strange:
        raise LabelsRefused(
            f"The campaign has crystals with {', '.join(sorted(strange))}, the labels of {source.name} are of "
            f"{', '.join(sorted(taught))}: a committee that learns from them cannot judge those. Clone the campaign "
            "and upload labels of all its elements."
        )


def _elements(path: Path, shown: str) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / _name(path)
        named.symlink_to(path)
        try:
            return {symbol for crystal, _, _ in read_geometries(named) for symbol in crystal.symbols}
        except InputError as error:
            raise LabelsRefused(f"The labels of {shown} cannot be read: {error}") from error


def _name(path: Path) -> str:
    """By content: artifacts have no names of their own."""
    with path.open("rb") as file:
        return "labels.extxyz.gz" if file.read(2) == PACKED else "labels.extxyz"


def _surrogate_digest(settings: DftSettings, oracle: TrainedModel) -> str:
    """As the labels' own will be: the potential names itself by its card."""
    version = surrogate_version(str(oracle.card.get("name", oracle.name)), oracle.engine)
    return method_digest(surrogate_method(settings, version=version, oracle=oracle.sha256))


BINDING = Binding(STAGE, plan=plan, load=load, files=files, save=save, report=report)
