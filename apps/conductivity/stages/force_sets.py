"""κ_L from force sets that somebody brought: no campaign, no plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.artifacts import services as stored
from apps.artifacts.models import Artifact
from apps.conductivity.services.phonons import Standing, phonons_record
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import ConductivityOutputs, ForceSetInputs

STAGE = "force_sets"
FOLDER = "given"
ROOM_TEMPERATURE = 300.0
"""K: of the temperatures asked for, the one nearest to it stands for the tensor."""


def load(job: Job) -> Loaded:
    """The given files, linked into a folder under their own names."""
    given: Mapping[str, int] = job.params["files"]
    rows = Artifact.objects.in_bulk(given.values())
    inputs = ForceSetInputs(
        folder=FOLDER,
        mesh=tuple(job.params["mesh"]),
        temperatures=tuple(job.params["temperatures"]),
        lbte=job.params["lbte"],
    )
    files = {f"{FOLDER}/{name}": str(stored.path(rows[pk])) for name, pk in given.items()}
    return Loaded(inputs, changed_settings(job), files)


def files(outputs: ConductivityOutputs) -> Mapping[str, str]:
    """Force constants and the phono3py yaml."""
    return outputs.files


def save(job: Job, outputs: ConductivityOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """Phonons and tensors of nobody's campaign."""
    standing = Standing(
        source=f"force sets: {job.params['name']}"[:200],
        version="",
        symmetry_kept=None,
        dimensionality=3,
        settings=ConductivitySettings(**changed_settings(job)),
        ranges=False,
    )
    phonons_record(outputs, standing, job_id=job.pk, plan=None, artifacts=artifacts)
    return set()


def changed_settings(job: Job) -> dict[str, Any]:
    """What differs from the conductivity's defaults: K, and Å where the mesh is a length."""
    settings: dict[str, Any] = {"temperature": ranked_temperature(job)}
    if len(mesh := job.params["mesh"]) == 1:
        longest = max(mesh[0], ConductivitySettings().max_mesh_length)
        settings |= {"mesh_length": mesh[0], "max_mesh_length": longest}
    return settings


def ranked_temperature(job: Job) -> float:
    """K."""
    return min(job.params["temperatures"], key=lambda t: abs(t - ROOM_TEMPERATURE))


BINDING = Binding(STAGE, load=load, files=files, save=save)
