"""Running VASP where one is configured; the result goes through the same gate as an uploaded file.

KAPPAWEB_VASP: the command, e.g. "mpirun -np {cores} vasp_std" ({cores}: as the run settings say); KAPPAWEB_VASP_PP: the
folder of the PAW sets, each in <name>/POTCAR; where it holds PBE and LDA apart, in <family>/<name>/POTCAR.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kappakit.dft import RELAX, DftTask
from kappakit.engines.child import run_child
from kappakit.engines.vasp.progress import steps_done
from kappakit.engines.vasp.vasprun import Differs, checked
from kappakit.errors import DftFailure, InputError
from kappakit.ports import DftResult, Progress, ReadableDftCode
from kappakit.protocol import DftRunSettings
from kappakit.vasp_files import IONIC_STEPS, PAW_FAMILY, paw_names, vasp_inputs

COMMAND, POTCARS, KERNEL = "KAPPAWEB_VASP", "KAPPAWEB_VASP_PP", "vdw_kernel.bindat"
NOT_CONFIGURED = (
    "VASP is not configured here: download the inputs and upload the vasprun.xml, "
    f"or set {COMMAND} (the command) and {POTCARS} (the folder of the POTCAR files)"
)
POLL, GRACE = 2.0, 20.0
"""Seconds between two looks at OSZICAR, and until a process that was asked to end is killed."""
LOG = "vasp.log"
OUT_OF_MEMORY = (
    "out of memory",
    "cannot allocate memory",
    "insufficient memory",
    "insufficient virtual memory",
    "oom-kill",
    "oom killer",
)
KILLED = (-9, 137)
NUMERICAL = ("ZBRENT: fatal", "EDDDAV", "Sub-Space-Matrix is not hermitian", "BRMIX: very serious problems")
"""Of a density that ran away: gentler mixing may help."""


def load() -> ReadableDftCode:
    """VASP as this process's environment configures it; reading files needs no configuration."""
    return configured(os.environ)


def configured(environment: Mapping[str, str]) -> VaspCode:
    """VASP as `environment` says."""
    folder = environment.get(POTCARS, "")
    return VaspCode(environment.get(COMMAND, ""), Path(folder) if folder else None)


@dataclass
class VaspCode:
    """A kappakit.ports.ReadableDftCode. `command` "" or `potcars` None: it can only read."""

    command: str
    potcars: Path | None
    name: str = "vasp"
    poll: float = POLL

    def version(self) -> str:
        """The command; VASP tells its version in its output alone. Raises InputError where it is not configured."""
        return f"VASP by {' '.join(self._command(1))}"

    def read(self, path: Path, task: DftTask) -> DftResult:
        """See kappakit.engines.vasp.vasprun.checked."""
        return checked(path, task)

    def run(self, task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> DftResult:
        """Run in `folder`; a result that an earlier attempt left there is taken. Raises InputError where VASP is not
        configured or a PAW set is missing, DftFailure otherwise."""
        command = self._command(run.cores)
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / "vasprun.xml"
        if (earlier := _earlier(output, task)) is not None:
            return earlier
        output.unlink(missing_ok=True)
        self._write(task, run, folder)
        code = self._launch(command, task, run, folder, progress)
        return _result(output, task, folder / LOG, code)

    def _command(self, cores: int) -> list[str]:
        words = [word.replace("{cores}", str(cores)) for word in shlex.split(self.command)]
        if not words or self.potcars is None:
            raise InputError(NOT_CONFIGURED)
        if shutil.which(words[0]) is None:
            raise InputError(f"{COMMAND} names {words[0]!r}, which is not a program here")
        return words

    def _write(self, task: DftTask, run: DftRunSettings, folder: Path) -> None:
        potcars = list(self._potcars(task))
        for name, text in vasp_inputs(task, run).items():
            (folder / name).write_text(text)
        with (folder / "POTCAR").open("wb") as joined:
            for path in potcars:
                joined.write(path.read_bytes())
        kernel = self._folder() / KERNEL
        if kernel.is_file() and "LUSE_VDW = .TRUE." in (folder / "INCAR").read_text():
            shutil.copyfile(kernel, folder / KERNEL)

    def _potcars(self, task: DftTask) -> Iterator[Path]:
        family = PAW_FAMILY[task.settings.functional]
        for name in paw_names(task):
            places = [self._folder() / family / name / "POTCAR", self._folder() / name / "POTCAR"]
            found = next((place for place in places if place.is_file()), None)
            if found is None:
                raise InputError(f"{POTCARS} has no POTCAR of the PAW set {name} ({family}): {places[1]} is missing")
            yield found

    def _folder(self) -> Path:
        if self.potcars is None:
            raise InputError(NOT_CONFIGURED)
        return self.potcars

    def _launch(self, command: list[str], task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> int:
        """The exit code; raises DftFailure at the time limit."""
        with (folder / LOG).open("wb") as log:
            code = run_child(
                command,
                folder,
                log,
                minutes=run.walltime,
                poll=self.poll,
                tell=lambda: _tell(folder / "OSZICAR", task, progress),
                grace=GRACE,
            )
        if code is None:
            raise DftFailure("walltime", f"VASP did not end within {run.walltime:g} minutes")
        return code


def _tell(oszicar: Path, task: DftTask, progress: Progress) -> None:
    done = steps_done(oszicar)
    if done is None:
        return
    ionic, electronic, energy = done
    total = IONIC_STEPS if task.task == RELAX else 1
    progress(min(ionic, total), total, f"ionic step {ionic + 1}, electronic step {electronic}, {energy:.6f} eV")


def _earlier(output: Path, task: DftTask) -> DftResult | None:
    if not output.is_file():
        return None
    try:
        return checked(output, task)
    except InputError:
        return None


def _result(output: Path, task: DftTask, log: Path, code: int) -> DftResult:
    """A valid file counts, whatever the exit code (mpirun's is often wrong)."""
    said = log.read_text(errors="replace")
    if not output.is_file():
        raise _stopped(code, said, "VASP wrote no vasprun.xml")
    try:
        return checked(output, task)
    except Differs as error:
        if error.unconverged:
            raise DftFailure("not_converged", str(error)) from error
        raise DftFailure("engine", f"VASP computed something else than its inputs say:\n{error}") from error
    except InputError as error:
        raise _stopped(code, said, str(error)) from error


def _stopped(code: int, said: str, why: str) -> DftFailure:
    """Why VASP ended early, from its exit code and what it printed."""
    lower = said.lower()
    kind = "engine"
    if code in KILLED or any(sign in lower for sign in OUT_OF_MEMORY):
        kind = "memory"
    elif any(sign in said for sign in NUMERICAL):
        kind = "not_converged"
    last = "\n".join(said.strip().splitlines()[-8:])
    return DftFailure(kind, f"{why} (exit code {code})\n{last}".strip())
