"""`python -m kappakit.run FOLDER`: read the inputs of one stage, run it, write its outputs.

The folder holds `stage.json` {"stage", "settings", "threads"}, `inputs.json` + `inputs.npz`; it gains `progress.jsonl`,
and `outputs.json` + `outputs.npz` or `failure.json` {"kind": "input" | "transient" | "bug", "message", "traceback"}.
Exit codes: 0 done, 2 input, 75 transient, 1 bug.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cattrs.preconf.json import make_converter

from kappakit import archive
from kappakit.errors import InputError, Transient
from kappakit.ports import Engines, Progress
from kappakit.stages.table import STAGES

EXIT_DONE, EXIT_BUG, EXIT_INPUT, EXIT_TRANSIENT = 0, 1, 2, 75
FAILURES = {EXIT_BUG: "bug", EXIT_INPUT: "input", EXIT_TRANSIENT: "transient"}


class ProgressFile:
    """A Progress that appends a line a call to progress.jsonl."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, done: int, total: int, note: str) -> None:
        with self._path.open("a") as lines:
            lines.write(json.dumps({"done": done, "total": total, "note": note}) + "\n")


def prepare(folder: Path, stage: str, inputs: Any, settings: dict[str, Any], threads: int) -> None:
    """Write what `main` reads; the caller launches the process."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stage.json").write_text(json.dumps({"stage": stage, "settings": settings, "threads": threads}))
    archive.write(folder, "inputs", inputs)


def main(folder: Path, engines: Callable[[Progress], Engines]) -> int:
    """Run the stage in `folder`; `engines` makes the doors from a Progress. Returns the exit code."""
    os.chdir(folder)
    try:
        _run(folder, engines)
    except InputError as error:
        return _fail(folder, EXIT_INPUT, error)
    except Transient as error:
        return _fail(folder, EXIT_TRANSIENT, error)
    except Exception as error:  # the runner: what nobody foresaw is recorded, loudly
        return _fail(folder, EXIT_BUG, error)
    return EXIT_DONE


def _run(folder: Path, engines: Callable[[Progress], Engines]) -> None:
    task = json.loads((folder / "stage.json").read_text())
    stage = STAGES[task["stage"]]
    inputs: Any = archive.read(folder, "inputs", stage.inputs)
    settings: Any = make_converter().structure(task["settings"], stage.settings)
    module = importlib.import_module(stage.module)
    outputs = module.run(inputs, settings, engines=engines(ProgressFile(folder / "progress.jsonl")))
    archive.write(folder, "outputs", outputs)


def _fail(folder: Path, code: int, error: Exception) -> int:
    record = {"kind": FAILURES[code], "message": str(error), "traceback": traceback.format_exc()}
    (folder / "failure.json").write_text(json.dumps(record))
    print(record["traceback"], file=sys.stderr)
    return code


SPINS = "2000"
"""Rounds that an idle thread of a pool waits awake. By default so many that a stage all but stalls where another
program takes one of two cores; with so few it takes twice as long there, and no longer than before on a free machine.
"""


def limit_threads(threads: int) -> None:
    """Before any numerical library loads: its thread pools follow the job's share of the cores."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(threads)


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    limit_threads(int(json.loads((target / "stage.json").read_text())["threads"]))
    doors = importlib.import_module("kappakit.engines.doors")
    sys.exit(main(target, doors.RealEngines))
