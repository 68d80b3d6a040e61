"""Check upload: a result file that somebody computed elsewhere, held against what was asked."""

from __future__ import annotations

from pathlib import Path

from kappakit.dft import DftTask
from kappakit.errors import InputError
from kappakit.ports import Engines, ReadableDftCode
from kappakit.stages.contracts import CalculateOutputs, UploadInputs
from kappakit.stages.table import NoSettings


def run(inputs: UploadInputs, settings: NoSettings, *, engines: Engines) -> CalculateOutputs:
    """The result, or failure 'input' with the differences in its message, one a line.

    No time is counted: it was spent on somebody else's machine.
    """
    try:
        result = _code(engines, task := DftTask.from_text(inputs.text)).read(Path(inputs.file), task)
    except InputError as error:
        return CalculateOutputs(None, "input", str(error), seconds=0.0, cores=1)
    engines.progress(1, 1, "the file is what was asked")
    return CalculateOutputs(result, "", "", seconds=0.0, cores=1)


def _code(engines: Engines, task: DftTask) -> ReadableDftCode:
    code = engines.dft("vasp")
    if task.settings.engine != "vasp" or not isinstance(code, ReadableDftCode):
        raise InputError(f"results of {task.settings.engine} are not taken by file; a vasprun.xml answers VASP's only")
    return code
