"""GPAW as a DftCode: a folder in, a result file out, computed by a program of GPAW's own environment."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import HASHED, RELAX, DftTask, inputs_sha256, k_mesh, method_digest, method_of
from kappakit.engines.gpaw.places import PROGRAM, find_python, kernel_tables
from kappakit.engines.gpaw.process import environment, run_program, unexplained
from kappakit.engines.gpaw.reduction import Reduction
from kappakit.errors import DftFailure, InputError
from kappakit.ports import DftResult, Progress
from kappakit.protocol import DftRunSettings

LIMIT_OF_ABOUT = 120.0
"""s; importing GPAW takes one."""
OF_AN_ATTEMPT = ("progress.jsonl", "program.log", "failure.json")
"""What an attempt leaves and the next one starts without."""


class GpawCode:
    """Implements kappakit.ports.DftCode; `python` is found at the first use."""

    name = "gpaw"

    def __init__(self, python: Path | None = None) -> None:
        self._python = python

    def version(self) -> str:
        """GPAW, its data and libraries; raises InputError where it is missing or broken."""
        return version_text(self._about["versions"])

    def run(self, task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> DftResult:
        """Compute in `folder`; a relaxation goes on from the last step of an earlier attempt. Raises DftFailure."""
        try:
            python = str(self.python)
        except InputError as error:
            raise DftFailure("engine", str(error)) from error
        reduction = Reduction.of(task.crystal)
        found = finished(folder, task)
        if found is None:
            prepare(folder, task, run, reduction)
            command = [python, str(PROGRAM), str(folder.resolve())]
            code = run_program(command, folder, cores=run.cores, minutes=run.walltime, progress=progress)
            found = finished(folder, task)
            if found is None:
                raise _failure(code, folder)
        return result_of(found, task, reduction)

    @property
    def python(self) -> Path:
        """Raises InputError that says what to install."""
        return self._python or find_python()

    @cached_property
    def _about(self) -> dict[str, Any]:
        command = [str(self.python), str(PROGRAM), "--about"]
        try:
            done = subprocess.run(
                command, env=environment(1), capture_output=True, text=True, check=True, timeout=LIMIT_OF_ABOUT
            )
        except subprocess.CalledProcessError as error:
            raise InputError(f"GPAW does not start; run `make dft` again: {error.stderr.strip()[-500:]}") from error
        about: dict[str, Any] = json.loads(done.stdout)
        return about


def load() -> GpawCode:
    """The registry's factory."""
    return GpawCode()


def version_text(versions: dict[str, str]) -> str:
    """E.g. 'gpaw 26.7.0, gpaw-data 1.2.1, ase 3.29.0, …'."""
    return ", ".join(f"{name} {value}" for name, value in versions.items())


def prepare(folder: Path, task: DftTask, run: DftRunSettings, reduction: Reduction) -> None:
    """Write task.json: the reduced crystal with its mesh, the settings that are part of the inputs, how to run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in OF_AN_ATTEMPT:
        (folder / name).unlink(missing_ok=True)
    crystal = reduction.reduce(task.crystal)
    settings = asdict(task.settings)
    content = {
        "inputs": inputs_sha256(task.text()),
        "parent": os.getpid(),
        "task": task.task,
        **crystal.to_dict(),
        "mesh": k_mesh(crystal.cell, task.settings.k_spacing),
        "settings": {name: settings[name] for name in HASHED},
        "run": asdict(run),
        "cache": str(kernel_tables()),
    }
    (folder / "task.json").write_text(json.dumps(content, indent=1))


def finished(folder: Path, task: DftTask) -> dict[str, Any] | None:
    """The result file of exactly these inputs, if it is there."""
    path = folder / "result.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found if found["inputs"] == inputs_sha256(task.text()) else None


def result_of(found: dict[str, Any], task: DftTask, reduction: Reduction) -> DftResult:
    """The result in the cell and order of the task's crystal."""
    start = reduction.reduce(task.crystal)
    end = Crystal(np.array(found["cell"]), np.array(found["frac"]), start.numbers)
    mesh = k_mesh(start.cell, task.settings.k_spacing)
    paw = f"gpaw-data {found['versions']['gpaw-data']} {found['paw_family']}, sha256 {found['paw_digest']}"
    method = method_of(task.settings, engine_version=f"gpaw {found['versions']['gpaw']}", paw=paw)
    return DftResult(
        crystal=reduction.restore(end) if task.task == RELAX else task.crystal,
        energy=found["energy"],
        energy_sigma0=found["energy_sigma0"],
        forces=np.array(found["forces"]),
        stress=np.array(found["stress"]),
        k_mesh=mesh,
        method=method,
        method_sha256=method_digest(method),
        version=version_text(found["versions"]),
        iterations=found["iterations"],
        steps=found["steps"],
        magnetic_moment=found["magnetic_moment"],
        gap=found["gap"],
        notes=tuple(_notes(found, task, reduction, end)),
    )


def _notes(found: dict[str, Any], task: DftTask, reduction: Reduction, end: Crystal) -> list[str]:
    start = reduction.reduce(task.crystal)
    notes = [f"PAW set {name}, sha256 {digest}" for name, digest in found["paw_used"].items()]
    if task.settings.functional == "optB88-vdW":
        notes.append("stress with the non-local term that GPAW leaves out")
    if reduction.changes:
        notes.append("computed in the Minkowski-reduced cell, which the k mesh belongs to")
    if found["earlier_steps"]:
        notes.append(f"taken up after {found['earlier_steps']} ionic steps of an earlier attempt")
    spacing = task.settings.k_spacing
    if k_mesh(end.cell, spacing) != k_mesh(start.cell, spacing):
        notes.append("the k mesh is that of the start; by the rule the relaxed cell would have another")
    return notes


def _failure(code: int, folder: Path) -> DftFailure:
    path = folder / "failure.json"
    if not path.exists():
        return unexplained(code, folder)
    told = json.loads(path.read_text())
    return DftFailure(told["kind"], told["message"])
