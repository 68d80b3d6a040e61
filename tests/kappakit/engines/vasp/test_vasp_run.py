"""Running VASP: inputs, progress, limits and failures, with a program in VASP's place that gives a real run's output."""

from __future__ import annotations

from pathlib import Path

import pytest

from kappakit.engines.vasp.code import VaspCode, configured
from kappakit.engines.vasp.progress import steps_done
from kappakit.errors import DftFailure, InputError
from kappakit.ports import DftResult, ReadableDftCode, SilentProgress
from kappakit.protocol import DftRunSettings
from tests.kappakit.real_vasprun import FREE, diamond_task, diamond_text

OSZICAR = (
    "       N       E\\nDAV:   1    -0.540001881042E+01   -0.54E+01\\nDAV:   9    -0.202469593735E+02   -0.8E-07\\n"
)
INPUTS = "for name in INCAR POSCAR POTCAR; do test -s $name || exit 3; done\necho run >> runs\n"
QUICK = DftRunSettings(cores=3)


def program(folder: Path, script: str, output: str) -> VaspCode:
    """A `vasp` that checks its inputs and then does as `script` says; $RESULT is the output that it may give."""
    result = folder / "result.xml"
    result.write_text(output, encoding="latin-1")
    vasp = folder / "vasp_std"
    vasp.write_text(f"#!/bin/sh\nRESULT={result}\n{INPUTS}{script}\n")
    vasp.chmod(0o755)
    for name, text in {"C": "LDA carbon\n", "LDA/C": "LDA carbon of its family\n"}.items():
        (folder / "pp" / name).mkdir(parents=True, exist_ok=True)
        (folder / "pp" / name / "POTCAR").write_text(text)
    return VaspCode(f"{vasp} {{cores}}", folder / "pp", poll=0.05)


def run(code: VaspCode, folder: Path, settings: DftRunSettings = QUICK) -> DftResult:
    return code.run(diamond_task(), settings, folder / "work", SilentProgress())


def test_a_run_gives_the_result_and_tells_how_far_it_is(tmp_path: Path) -> None:
    script = f'echo $1 > cores; printf "{OSZICAR}" > OSZICAR; sleep 0.4; cp $RESULT vasprun.xml'
    code, progress = program(tmp_path, script, diamond_text()), SilentProgress()
    result = code.run(diamond_task(), QUICK, tmp_path / "work", progress)
    assert result.energy == pytest.approx(FREE)
    assert (0, 1, "ionic step 1, electronic step 9, -20.246959 eV") in progress.calls
    assert (tmp_path / "work" / "cores").read_text() == "3\n"
    assert (tmp_path / "work" / "POTCAR").read_text() == "LDA carbon of its family\n"
    assert isinstance(code, ReadableDftCode)


def test_what_an_earlier_attempt_finished_is_taken(tmp_path: Path) -> None:
    code = program(tmp_path, "cp $RESULT vasprun.xml", diamond_text())
    run(code, tmp_path)
    run(code, tmp_path)
    assert (tmp_path / "work" / "runs").read_text() == "run\n"
    (tmp_path / "work" / "vasprun.xml").write_text("<modeling>")
    run(code, tmp_path)
    assert (tmp_path / "work" / "runs").read_text() == "run\nrun\n"


UNCONVERGED = ('name="NELM">    60', 'name="NELM">     9')
OTHER = ('name="ENMAX">    400', 'name="ENMAX">    500')


@pytest.mark.parametrize(
    ("script", "edits", "kind", "said"),
    [
        ("cp $RESULT vasprun.xml", [UNCONVERGED], "not_converged", "electrons: not converged"),
        ("cp $RESULT vasprun.xml", [OTHER], "engine", "ENCUT = 500 eV, asked is 400"),
        ("head -c 20000 $RESULT > vasprun.xml", [], "engine", "cut off"),
        ("head -c 20000 $RESULT > vasprun.xml; echo Out Of Memory; exit 1", [], "memory", "Out Of Memory"),
        ("head -c 20000 $RESULT > vasprun.xml; kill -9 $$", [], "memory", "exit code -9"),
        ("echo 'BRMIX: very serious problems'; exit 1", [], "not_converged", "BRMIX"),
        ("echo 'VERY BAD NEWS! internal error'; exit 1", [], "engine", "VERY BAD NEWS"),
    ],
)
def test_a_failure_has_its_class(
    tmp_path: Path, script: str, edits: list[tuple[str, str]], kind: str, said: str
) -> None:
    code = program(tmp_path, script, diamond_text(*edits))
    with pytest.raises(DftFailure) as caught:
        run(code, tmp_path)
    assert caught.value.kind == kind
    assert said in str(caught.value)


def test_a_valid_result_counts_whatever_the_exit_code(tmp_path: Path) -> None:
    code = program(tmp_path, "cp $RESULT vasprun.xml; exit 1", diamond_text())
    assert run(code, tmp_path).energy == pytest.approx(FREE)


def test_the_time_limit_ends_the_program(tmp_path: Path) -> None:
    code = program(tmp_path, "exec sleep 60", diamond_text())
    with pytest.raises(DftFailure, match=r"within 0\.1 minutes") as caught:
        run(code, tmp_path, DftRunSettings(walltime=0.1))
    assert caught.value.kind == "walltime"


def test_without_configuration_vasp_reads_and_does_not_run(tmp_path: Path) -> None:
    code = configured({})
    with pytest.raises(InputError, match=r"download the inputs and upload the vasprun\.xml"):
        run(code, tmp_path)
    with pytest.raises(InputError, match="VASP is not configured here"):
        code.version()
    path = tmp_path / "vasprun.xml"
    path.write_text(diamond_text(), encoding="latin-1")
    assert code.read(path, diamond_task()).energy == pytest.approx(FREE)


def test_a_missing_program_or_paw_set_is_named(tmp_path: Path) -> None:
    absent = configured({"KAPPAWEB_VASP": "/no/such/vasp_std", "KAPPAWEB_VASP_PP": str(tmp_path)})
    with pytest.raises(InputError, match="names '/no/such/vasp_std', which is not a program here"):
        run(absent, tmp_path)
    here = configured({"KAPPAWEB_VASP": "true", "KAPPAWEB_VASP_PP": str(tmp_path)})
    with pytest.raises(InputError, match=r"no POTCAR of the PAW set C \(LDA\)"):
        run(here, tmp_path)


def test_oszicar_tells_ionic_and_electronic_steps(tmp_path: Path) -> None:
    oszicar = tmp_path / "OSZICAR"
    assert steps_done(oszicar) is None
    oszicar.write_text("DAV:   8    -0.2E+02\n   1 F= -.2E+02 E0= -.2E+02  d E =-.1E-03\nRMM:   2    -0.2025E+02\n")
    assert steps_done(oszicar) == (1, 2, -20.25)
