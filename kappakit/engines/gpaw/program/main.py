"""Run by GPAW's own python: `python main.py FOLDER` reads task.json, writes result.json or failure.json.

`python main.py --about` prints versions and digests of the PAW sets. Nothing of kappaweb is imported here.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import about
import electrons
import kernel_table
import relaxing
import vdw_stress
from gpaw import KohnShamConvergenceError

PR_SET_PDEATHSIG = 1
FAMILY = {"optB88-vdW": "PBE", "PBE": "PBE", "LDA": "LDA"}


def main(folder: Path) -> int:
    """Compute what task.json asks; failures that are foreseen go by their class to failure.json."""
    task = json.loads((folder / "task.json").read_text())
    _die_with_parent(task["parent"])
    try:
        result = compute(task, folder)
    except KohnShamConvergenceError:
        return _fail(folder, "not_converged", f"not converged in {task['run']['max_iterations']} electronic steps")
    except relaxing.NotRelaxed as error:
        return _fail(folder, "not_converged", str(error))
    except MemoryError as error:
        return _fail(folder, "memory", f"out of memory: {error}")
    except about.NoDataSet as error:
        return _fail(folder, "input", str(error))
    _write(folder / "result.json", result)
    return 0


def compute(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The result, JSON-ready."""
    family = FAMILY[task["settings"]["functional"]]
    used = about.used(task["numbers"], family)
    vdw_stress.complete()
    kernel_table.keep_in(Path(task["cache"]))
    told = Told(folder / "progress.jsonl", task)
    atoms = electrons.atoms_of(task)
    atoms.calc = electrons.calculator(task, folder / "gpaw.txt", told.iteration)
    steps, earlier = 0, 0
    if task["task"] == "relax":
        steps, earlier = relaxing.relax(atoms, task, folder / "relaxation.json", told.step)
    return {
        **electrons.facts(atoms),
        "inputs": task["inputs"],
        "iterations": told.iterations,
        "steps": steps,
        "earlier_steps": earlier,
        "versions": about.versions(),
        "paw_family": family,
        "paw_digest": about.paw_digest(family),
        "paw_used": used,
    }


class Told:
    """Appends progress to a file: electronic iterations of a label, ionic steps of a relaxation."""

    def __init__(self, path: Path, task: dict[str, Any]) -> None:
        self._path, self._relaxes = path, task["task"] == "relax"
        self._most = relaxing.STEPS if self._relaxes else task["run"]["max_iterations"]
        self._step, self.iterations = 0, 0

    def iteration(self, number: int) -> None:
        self.iterations += 1
        if not self._relaxes:
            self._append(number, f"electronic step {number}")
        elif number % 10 == 1:
            self._append(self._step, f"ionic step {self._step + 1}, electronic step {number}")

    def step(self, number: int, force: float, stress: float) -> None:
        self._step = number
        self._append(number, f"ionic step {number}: largest force {force:.3g} eV/Å, stress {stress:.3g} GPa")

    def _append(self, done: int, note: str) -> None:
        with self._path.open("a") as lines:
            lines.write(json.dumps({"done": done, "total": self._most, "note": note}) + "\n")


def _die_with_parent(parent: int) -> None:
    """Linux kills this process when the one that started it is gone, however that ended."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that asked is gone")


def _fail(folder: Path, kind: str, message: str) -> int:
    traceback.print_exc()
    _write(folder / "failure.json", {"kind": kind, "message": message})
    return 2


def _write(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(content))
    os.replace(partial, path)


if __name__ == "__main__":
    if sys.argv[1] == "--about":
        print(json.dumps({"versions": about.versions(), "paw": {n: about.paw_digest(n) for n in ("PBE", "LDA")}}))
        sys.exit(0)
    sys.exit(main(Path(sys.argv[1])))
