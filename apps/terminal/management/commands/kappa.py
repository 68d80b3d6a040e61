"""κ_L from a folder of force sets, without a campaign."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from apps.artifacts import services as artifacts
from apps.conductivity.selectors import phonons_of_job
from apps.conductivity.services import accepted, force_sets_submit
from apps.core.errors import ApplicationError
from apps.jobs.services import retry
from apps.jobs.states import State
from apps.reviews.words import convergence_words, mesh_words, worst_change
from apps.terminal.jobs import follow_job, group_outcome

if TYPE_CHECKING:
    from apps.conductivity.models import KappaTensor
    from apps.jobs.models import Job


class Command(BaseCommand):
    help = "κ_L from FORCE_SETS, FORCES_FC2, FORCES_FC3 with a phono3py yaml: computed in the queue, stored, printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        mesh = parser.add_mutually_exclusive_group(required=True)
        mesh.add_argument("--mesh", type=int, nargs=3, metavar="N", help="numbers of q-points, taken as they are")
        mesh.add_argument(
            "--length", type=float, metavar="Å", help="mesh length, e.g. 25; tested for convergence and refined"
        )
        parser.add_argument("--lbte", action="store_true", help="the full solution too, not only RTA")
        parser.add_argument("--temperature", type=float, action="append", help="K; may be repeated; default 300")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = _submit(options)
        except ApplicationError as refusal:
            raise CommandError(refusal.message) from refusal
        ended = follow_job(job, Console(file=sys.stderr))
        if why := group_outcome(ended):
            raise CommandError(why)
        self._print(ended)

    def _print(self, job: Job) -> None:
        phonons = phonons_of_job(job)
        if phonons is None:
            raise CommandError(f"Job {job.pk} left no phonons.")
        self.stdout.write(f"{phonons.source}; {phonons.engine_version}; phonons {phonons.dynamical}; NAC {phonons.nac}")
        for tensor in phonons.tensors.all():
            for line in described(tensor):
                self.stdout.write(line)
        for note in phonons.notes:
            self.stdout.write(note)


def described(tensor: KappaTensor) -> list[str]:
    """The tensor in W/(m·K), one line a temperature, its principal values and directions at the ranked one."""
    mesh = mesh_words(tensor.mesh, tensor.mesh_rule, tensor.mesh_length)
    lines = [f"κ_L ({tensor.method}, {mesh}), W/(m·K):  xx yy zz yz xz xy"]
    for temperature, kappa in zip(tensor.temperatures, tensor.kappa, strict=True):
        lines.append(f"  {temperature:7.1f} K  " + " ".join(f"{value:9.2f}" for value in voigt(kappa)))
    principal = ", ".join(f"{v:.1f} along {d}" for v, d in zip(tensor.principal, tensor.uvw, strict=True))
    lines += [f"  principal at {tensor.temperature:g} K: {principal}", *_convergence(tensor)]
    return [*lines, f"  trust: {' · '.join(tensor.label)}"]


def _convergence(tensor: KappaTensor) -> list[str]:
    """Every mesh that was tried, one a line, and whether the last step changed little."""
    found = convergence_words(worst_change(tensor.change, tensor.changes), tensor.error, tensor.converged)
    steps = tensor.mesh_steps if len(tensor.mesh_steps) > 1 else []
    return [*map(_step, steps), f"  converged: {found}"]


def _step(step: Mapping[str, Any]) -> str:
    numbers = "×".join(map(str, step["numbers"]))
    principal = " ".join(f"{value:9.2f}" for value in step["principal"])
    return f"  mesh of {step['length']:5.1f} Å ({numbers}): {principal} W/(m·K), {step['seconds']:.1f} s"


def voigt(kappa: list[list[float]]) -> tuple[float, ...]:
    """xx, yy, zz, yz, xz, xy of a symmetric (3, 3)."""
    return kappa[0][0], kappa[1][1], kappa[2][2], kappa[1][2], kappa[0][2], kappa[0][1]


def _submit(options: Mapping[str, Any]) -> Job:
    folder: Path = options["folder"]
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and accepted(path.name)]
    files = {path.name: artifacts.store(path, kind="force-sets").pk for path in found}
    job = force_sets_submit(
        name=folder.resolve().name,
        files=files,
        mesh=options["mesh"] or [options["length"]],
        lbte=options["lbte"],
        temperatures=options["temperature"] or [300.0],
    )
    return retry(job=job) if job.state in (State.FAILED, State.CANCELLED) else job
