"""The echo stage's way to the database."""

from __future__ import annotations

from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from kappakit.testing.echo import EchoInputs, EchoOutputs
from tests.faults.echoes.models import Echo


def load(job: Job) -> Loaded:
    params = job.params
    return Loaded(EchoInputs(tuple(job.units), params.get("seconds", 0.0), params.get("misdeeds", {})))


def save(job: Job, outputs: EchoOutputs, artifacts: dict[str, int]) -> set[int]:
    Echo.objects.bulk_create([Echo(job_id=job.pk, word=word) for word in outputs.words])
    return set()


def failed(job: Job, message: str) -> set[int]:
    Echo.objects.bulk_create([Echo(job_id=job.pk, word=word, failed=True) for word in job.units])
    return set()


ECHO = Binding(name="echo", load=load, save=save, failed=failed, files=lambda outputs: {"words": outputs.file})


def spec(*words: str, seconds: float = 0.0, queue: str = LIGHT, **more: object) -> JobSpec:
    """A job that echoes `words`."""
    misdeeds = more.pop("misdeeds", {})
    params = {"seconds": seconds, "misdeeds": misdeeds}
    return JobSpec("echo", words, params, f"echo {words[0]}", queue=queue, **more)  # type: ignore[arg-type]
