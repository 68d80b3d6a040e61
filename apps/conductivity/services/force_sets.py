"""κ_L from force sets that somebody brought: without a campaign."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import ApplicationError
from apps.jobs import services as jobs
from apps.jobs.bindings import HEAVY, JobSpec
from apps.jobs.models import Job

DESCRIPTIONS = tuple(f"{code}{end}.yaml" for code in ("phono3py", "phonopy") for end in ("_params", "_disp", ""))
ACCEPTED = frozenset(
    {*DESCRIPTIONS, "FORCES_FC3", "FORCES_FC2", "FORCE_SETS", "BORN", "POSCAR-unitcell", "phonopy.conf"}
)
COMPRESSIONS = ("", ".xz", ".gz", ".bz2")
SHORTEST, LONGEST = 1.0, 200.0
"""Å: bounds of a mesh length."""
MOST_DIVISIONS = 200
"""Of one direction of a mesh."""


class ForceSetsRefused(ApplicationError):
    """What was given cannot be a calculation; the message says what is missing."""

    code = "force_sets_refused"
    status = 400


def force_sets_submit(
    *,
    name: str,
    files: Mapping[str, int],
    mesh: Sequence[float],
    lbte: bool = False,
    temperatures: Sequence[float] = (300.0,),
    user: Any | None = None,
) -> Job:
    """Queue κ_L of a folder's files (file name → Artifact id); the same files, mesh and method are computed once.

    `mesh`: three whole numbers along the primitive cell's reciprocal vectors, or one length in Å, which is tested for
    convergence and refined. temperatures K, `name` is shown as the source. The result: selectors.phonons_of_job.
    Raises ForceSetsRefused.
    """
    _check(files, mesh, temperatures)
    params = {
        "name": name,
        "files": dict(sorted(files.items())),
        "mesh": [int(number) for number in mesh] if len(mesh) == 3 else [float(mesh[0])],
        "lbte": lbte,
        "temperatures": sorted(set(map(float, temperatures))),
        "user": user.pk if user else None,
    }
    spec = JobSpec("force_sets", (name,), params, f"κ_L of {name}", HEAVY, time_limit_s=24 * 3600)
    (job,) = jobs.enqueue([spec], group=f"force-sets:{hashlib.sha256(spec.key.encode()).hexdigest()[:16]}")
    return job


def accepted(file_name: str) -> bool:
    """Whether a file of the folder is one that the calculation reads."""
    return any(file_name == wanted + end for wanted in ACCEPTED for end in COMPRESSIONS)


def _check(files: Mapping[str, int], mesh: Sequence[float], temperatures: Sequence[float]) -> None:
    if wrong := _wrong_mesh(mesh):
        raise ForceSetsRefused(wrong)
    if not temperatures or min(temperatures) <= 0:
        raise ForceSetsRefused("Temperatures are positive numbers in K.")
    if strange := sorted(name for name in files if not accepted(name)):
        raise ForceSetsRefused(f"Not a file of a phono3py calculation: {', '.join(strange)}.")
    if not any(".yaml" in name for name in files) and "POSCAR-unitcell" not in files:
        raise ForceSetsRefused("There is no phono3py yaml (phono3py_disp.yaml, phono3py_params.yaml …).")


def _wrong_mesh(mesh: Sequence[float]) -> str:
    """What is wrong with a mesh, '' for one that can be computed."""
    if len(mesh) == 1:
        (length,) = mesh
        fits = SHORTEST <= length <= LONGEST
        return "" if fits else f"A mesh length is between {SHORTEST:g} and {LONGEST:g} Å, e.g. 25; {length:g} is not."
    if len(mesh) != 3:
        return "The mesh is three whole numbers, e.g. 11 11 11, or one length in Å."
    numbers = " ".join(f"{number:g}" for number in mesh)
    fits = all(float(number).is_integer() and 1 <= number <= MOST_DIVISIONS for number in mesh)
    wanted = f"three whole numbers from 1 to {MOST_DIVISIONS}, e.g. 11 11 11"
    return "" if fits else f"The mesh is {wanted}; {numbers} is not."
