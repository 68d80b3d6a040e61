"""What the tests of the gate's pages do again and again."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.dft.models import DftCalculation
from apps.dft.selectors import jobs_of
from apps.dft.services import Asked, calculation_decide, calculation_ended, request_propose
from apps.jobs.models import Attempt, Job, Outcome
from apps.jobs.services import claim
from kappakit.dft import DftTask, method_digest
from kappakit.ports import DftResult
from kappakit.protocol import DftRunSettings
from kappakit.stages.contracts import CalculateOutputs
from tests.apps.gate import Gate, a_task


def as_user(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(*calculations: DftCalculation) -> list[str]:
    return [f"{row.pk}:{row.version}" for row in calculations]


def decide(user, answer: str, *calculations: DftCalculation, reason: str = ""):
    form = {"shown": shown(*calculations), "answer": answer, "reason": reason}
    return as_user(user).post(reverse("approvals-decide"), form)


def text(response) -> str:
    return response.content.decode()


def states(gate: Gate) -> list[str]:
    return [row.state for row in gate.waiting]


def a_vasp_request(gate: Gate) -> DftCalculation:
    asked = Asked("label", "labels/0/9", "Labels by VASP", "What the committee learns.")
    made = request_propose(
        campaign=gate.campaign, asked=asked, tasks=[("rattle 1", a_task(engine="vasp"))], run=DftRunSettings(),
        proposed_by=gate.scientist,
    )  # fmt: skip
    return made.calculations.get()


def approved(gate: Gate, calculation: DftCalculation) -> DftCalculation:
    return calculation_decide(
        calculation=calculation, version=calculation.version, answer="approve", user=gate.approver
    )


def a_result(calculation: DftCalculation, **facts) -> DftResult:
    task = DftTask.from_text(calculation.inputs)
    method = {"engine": calculation.engine, "functional": "optB88-vdW", "spin": False}
    values = {
        "crystal": task.crystal, "energy": -18.2, "energy_sigma0": -18.21, "stress": None, "k_mesh": (3, 3, 3),
        "forces": [[0.0, 0.0, 0.3], [0.0, 0.0, -0.3]], "method": method, "method_sha256": method_digest(method),
        "version": "gpaw 26.7", "iterations": 17,
    } | facts  # fmt: skip
    arrays = {name: np.array(values[name]) for name in ("forces", "stress") if values[name] is not None}
    return DftResult(**(values | arrays))


def ended(calculation: DftCalculation, result: DftResult | None, failure: str = "") -> DftCalculation:
    job, _ = claim(queue=settings.DFT_QUEUE, owner="o", host="here", lease_s=60)
    assert job == jobs_of(calculation).last()
    Job.objects.filter(pk=job.pk).update(state="DONE", lease_owner="", lease_until=None)
    Attempt.objects.filter(job=job).update(outcome=Outcome.DONE)
    message = "" if result else "The density did not converge."
    outputs = CalculateOutputs(result=result, failure=failure, message=message, seconds=30.0, cores=1)
    job.refresh_from_db()
    return calculation_ended(job=job, outputs=outputs, files={})


def settings_of(calculation: DftCalculation) -> dict[str, str]:
    """What the change form is filled with."""
    values = asdict(DftTask.from_text(calculation.inputs).settings)
    names = ("functional", "cutoff", "k_spacing", "smearing", "smearing_width", "energy_tolerance")
    return {name: str(values[name]) for name in names}


def a_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("vasprun.xml", b"<modeling/>", content_type="application/xml")
