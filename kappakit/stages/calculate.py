"""Calculate: one DFT calculation, exactly as its canonical text says; a failure is an outcome and not an error."""

from __future__ import annotations

import time
from pathlib import Path

from kappakit.dft import DftTask
from kappakit.errors import DftFailure, InputError
from kappakit.ports import DftResult, Engines
from kappakit.protocol import DftRunSettings
from kappakit.stages.contracts import CalculateInputs, CalculateOutputs

FOLDER = "checkpoint"
"""It outlives the attempt: the next one resumes from it."""
FILES = {
    "gpaw.txt": "gpaw_log",
    "program.log": "dft_log",
    "vasprun.xml": "vasprun",
    "OUTCAR": "outcar",
    "OSZICAR": "oszicar",
    "INCAR": "incar",
    "KPOINTS": "kpoints",
    "POSCAR": "poscar",
    "simulated.txt": "simulated_log",
}
"""What an engine may leave that is worth keeping → its kind."""


def run(inputs: CalculateInputs, settings: DftRunSettings, *, engines: Engines) -> CalculateOutputs:
    """Compute in ./checkpoint. Never raises DftFailure or InputError: their class and message are the outputs."""
    started = time.monotonic()
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    result, failure, message = _attempt(inputs, settings, engines, folder)
    return CalculateOutputs(
        result=result,
        failure=failure,
        message=message,
        seconds=time.monotonic() - started,
        cores=settings.cores,
        files={kind: f"{FOLDER}/{name}" for name, kind in FILES.items() if _has_content(folder / name)},
    )


def _attempt(
    inputs: CalculateInputs, settings: DftRunSettings, engines: Engines, folder: Path
) -> tuple[DftResult | None, str, str]:
    """(result, "", "") or (None, class of the failure, message)."""
    try:
        task = DftTask.from_text(inputs.text)
        code = engines.dft(task.settings.engine, inputs.oracle)
        return code.run(task, settings, folder, engines.progress), "", ""
    except DftFailure as failed:
        return None, failed.kind, str(failed)
    except InputError as error:
        return None, "input", str(error)


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
