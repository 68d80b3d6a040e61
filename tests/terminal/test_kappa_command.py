"""κ_L of force sets from the terminal: numbers or a length as the mesh, its convergence printed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.jobs.models import Job
from tests.apps.kappa_steps import NAMED, conductivity_outputs

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.ARTIFACTS = tmp_path / "artifacts"
    given = tmp_path / "Si"
    given.mkdir()
    for name in ("phono3py_disp.yaml", "FORCES_FC3.xz", "notes.txt"):
        (given / name).write_text(name)
    return given


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue's work is done at once, with outputs of true shapes."""

    def follow(job: Job, console: Any) -> Job:
        NAMED["force_sets"].save(job, conductivity_outputs(109.0, change=0.018), {})
        return job

    monkeypatch.setattr("apps.terminal.management.commands.kappa.follow_job", follow)
    monkeypatch.setattr("apps.terminal.management.commands.kappa.group_outcome", lambda job: "")


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("kappa", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("asked", "mesh"), [(("--mesh", "11", "11", "11"), [11, 11, 11]), (("--length", "25"), [25.0])]
)
def test_the_mesh_is_numbers_or_a_length(folder: Path, computed: None, asked: tuple[str, ...], mesh: list) -> None:
    told = printed(str(folder), *asked)
    assert Job.objects.get().params["mesh"] == mesh
    assert "principal at 300 K: 109.0 along [001]" in told


def test_every_mesh_and_the_convergence_are_printed(folder: Path, computed: None) -> None:
    told = printed(str(folder), "--length", "25").splitlines()
    assert len([line for line in told if line.startswith("  mesh of ")]) == 2
    (converged,) = [line for line in told if line.startswith("  converged: ")]
    assert converged.startswith("  converged: 1.8 % (±")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--length", "0"), "A mesh length is between 1 and 200 Å, e.g. 25; 0 is not."),
        (("--length", "1e4"), "A mesh length is between 1 and 200 Å, e.g. 25; 10000 is not."),
        (("--mesh", "0", "1", "1"), "The mesh is three whole numbers from 1 to 200, e.g. 11 11 11; 0 1 1 is not."),
        (("--mesh", "1", "1", "1", "--length", "25"), "not allowed with argument"),
        ((), "one of the arguments --mesh --length is required"),
    ],
)
def test_a_mesh_that_cannot_be_is_refused_in_a_sentence(folder: Path, asked: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words.replace(".", r"\.")):
        call_command("kappa", str(folder), *asked)
    assert not Job.objects.exists()
