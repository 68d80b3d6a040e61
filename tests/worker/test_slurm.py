"""What Slurm's commands print is understood: texts as Slurm 22.05 on Debian 12 wrote them."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.jobs.models import Job, Outcome
from apps.worker.cluster import MEASURE, asked_by, attempt_of, name_of, note_of, used_of
from apps.worker.folders import StageFolder
from apps.worker.pace import Pace
from apps.worker.polling import HAPPENED, Sight, happened
from apps.worker.slurm import (
    OVER,
    Account,
    Asked,
    SchedulerAway,
    SchedulerRefused,
    Slurm,
    SlurmJob,
    batch_script,
    mib_of,
    parse_accounts,
    parse_listed,
    seconds_of,
    submission,
)

LISTED = """1|COMPLETED|None|0:01|365-00:00:00|1|0|vm|wrap
4|FAILED|BadConstraints|0:00|UNLIMITED|1|100G||kappaweb-6-1-abc
3|PENDING|Resources|0:00|1:00|1|100M||kappaweb-5-1-abc
5|RUNNING|None|0:49|1:00|1|100M|vm|kappaweb-7-1-abc
6|COMPLETING|None|0:01|1:00|1|100M|vm|kappaweb-8-1-abc
7|NODE_FAIL|NodeDown|0:01|1:00|1|100M|vm|kappaweb-9-1-abc
8|TIMEOUT|TimeLimit|0:04|1:00|1|100M|vm|kappaweb-10-1-abc
"""

ACCOUNTED = """1|COMPLETED|3||vm|1
1.batch|COMPLETED|3|73572K|vm|1
2|FAILED|0||vm|1
2.batch|FAILED|0||vm|1
3|FAILED|1||vm|1
3.batch|CANCELLED by 0|1|102716K|vm|1
4|CANCELLED by 0|5||vm|1
4.batch|CANCELLED|5|3168K|vm|1
"""
"""From a Slurm with slurmdbd; the third used more memory than it had asked for."""

RUNNING = SlurmJob("5", "RUNNING", "None", 304, "node1", "kappaweb-7-1-abc")


def sight(state: str = "", *, said: tuple[str, str] | None = None, code: int | None = None) -> Sight:
    listed = replace(RUNNING, state=state, reason="None") if state else None
    return Sight(listed, None, said, {} if code is None else {"exit_code": code})


def test_the_list_of_jobs_is_read():
    found = parse_listed(LISTED)
    assert found[5] == SlurmJob("7", "NODE_FAIL", "NodeDown", 1, "vm", "kappaweb-9-1-abc")
    assert [job.id for job in found if job.is_over] == ["1", "4", "7", "8"]
    assert parse_listed("slurm_load_jobs error: Invalid job id specified\n\n") == []


def test_accounts_take_the_memory_of_the_largest_step():
    assert parse_accounts(ACCOUNTED) == {
        "1": Account("COMPLETED", 3, 73572 / 1024, "vm"),
        "2": Account("FAILED", 0, 0.0, "vm"),
        "3": Account("FAILED", 1, 102716 / 1024, "vm"),
        "4": Account("CANCELLED", 5, 3168 / 1024, "vm"),
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:01", 1), ("12:34", 754), ("1:00:00", 3600), ("2-03:04:05", 183845), ("INVALID", 0), ("", 0)],
)
def test_durations(text: str, seconds: int):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(("text", "mib"), [("", 0), ("1536K", 1.5), ("3M", 3), ("2.5G", 2560), ("1048576", 1)])
def test_amounts_of_memory(text: str, mib: float):
    assert mib_of(text) == mib


def test_time_is_asked_in_whole_minutes_and_memory_only_where_it_is_known():
    words = submission("n", Asked(4, 61, 2048), Path("/stages/job-1/1/log.txt"))
    assert {"--time=2", "--mem=2048M", "--ntasks=4", "--no-requeue", "--chdir=/stages/job-1/1"} <= set(words)
    assert not any(word.startswith("--mem") for word in submission("n", Asked(1, 60), Path("/log.txt")))


def test_a_folder_with_spaces_stays_one_word_of_the_script(tmp_path: Path):
    folder = tmp_path / "two words"
    folder.mkdir()
    measure = tmp_path / "measure.py"
    measure.write_text("import sys; print(sys.argv[1:])")
    script = batch_script(sys.executable, measure, folder, "a.module", folder)
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([str(folder), sys.executable, "-m", "a.module", str(folder)])


def job(**params: object) -> Job:
    return Job(pk=5, key="k", params=params, time_limit_s=90, created_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_name_is_always_the_same_and_says_job_and_attempt():
    assert name_of(job(), 2) == name_of(job(), 2)
    assert name_of(job(), 2).startswith("kappaweb-5-2-")
    assert attempt_of(name_of(job(), 12)) == 12
    twin = job()
    twin.created_at = datetime(2026, 1, 2, tzinfo=UTC)
    assert name_of(twin, 2) != name_of(job(), 2)


def test_cores_and_memory_come_from_the_job():
    assert asked_by(job(cores=8, memory_gib=1.5), 1) == Asked(8, 90, 1536)
    assert asked_by(job(), 2) == Asked(2, 90, None)


def test_notes_are_for_people():
    assert note_of(RUNNING, "step 3") == "Slurm 5: running on node1, 5 min; step 3"
    assert note_of(replace(RUNNING, state="PENDING", reason="Priority", node="")) == "Slurm 5: queued (Priority)"
    assert note_of(replace(RUNNING, state="COMPLETING")) == "Slurm 5: completing on node1, 5 min"


def test_what_was_used_comes_from_the_accounts_else_from_our_own_measurement_else_from_the_list():
    usage = {"time_s": 2.5, "cpu_s": 2.0, "memory_mib": 80.0, "exit_code": 0}
    assert used_of(RUNNING, Account("COMPLETED", 3, 90.0, "n"), usage) == {
        "time_s": 3,
        "cpu_s": 2.0,
        "memory_mib": 90.0,
    }
    assert used_of(RUNNING, None, usage) == {"time_s": 2.5, "cpu_s": 2.0, "memory_mib": 80.0}
    assert used_of(RUNNING, None, {}) == {"time_s": 304}


@pytest.mark.parametrize("kind", ["input", "transient", "bug"])
def test_the_stages_own_word_goes_before_slurms(kind: str):
    assert happened(sight("NODE_FAIL", said=(kind, "why")), patient=True) == (Outcome(kind), "why")


@pytest.mark.parametrize("state", sorted(HAPPENED))
def test_what_slurm_alone_can_tell_is_not_waited_for(state: str):
    assert state in OVER
    assert happened(sight(state), patient=True) == HAPPENED[state]


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", ""])
def test_files_that_may_be_late_are_waited_for(state: str):
    assert happened(sight(state), patient=True) is None


@pytest.mark.parametrize(
    ("state", "code", "outcome"),
    [
        ("", None, Outcome.LOST),
        ("COMPLETED", None, Outcome.BUG),
        ("COMPLETED", 0, Outcome.BUG),
        ("FAILED", 1, Outcome.BUG),
        ("FAILED", -9, Outcome.KILLED),
        ("FAILED", None, Outcome.KILLED),
    ],
)
def test_what_left_nothing_is_judged_by_its_exit(state: str, code: int | None, outcome: str):
    verdict = happened(sight(state, code=code), patient=False)
    assert verdict is not None
    assert verdict[0] == outcome


def slurm_saying(tmp_path: Path, program: str, script: str) -> Slurm:
    """A Slurm of which one command says and does what is written."""
    file = tmp_path / program
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return Slurm(via=("env", f"PATH={tmp_path}:/bin:/usr/bin", "sh", "-c"), timeout_s=0.5)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("sbatch: error: Batch job submission failed: Requested node configuration is not available", SchedulerRefused),
        ("sbatch: error: invalid partition specified: nowhere", SchedulerRefused),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", None),
        ("sbatch: error: AssocMaxSubmitJobLimit", None),
    ],
)
def test_a_refusal_is_told_from_a_wait(tmp_path: Path, said: str, error: type[Exception] | None):
    slurm = slurm_saying(tmp_path, "sbatch", f'echo "{said}" >&2; exit 1')
    with pytest.raises(error or SchedulerAway):
        slurm.submit("n", "#!/bin/sh\n", Asked(1, 60), tmp_path / "log.txt")


def test_a_number_of_a_federation_is_cut(tmp_path: Path):
    slurm = slurm_saying(tmp_path, "sbatch", "cat >/dev/null; echo '123;south'")
    assert slurm.submit("n", "#!/bin/sh\n", Asked(1, 60), tmp_path / "log.txt") == "123"


def test_a_command_that_hangs_is_given_up(tmp_path: Path):
    with pytest.raises(SchedulerAway, match=r"did not answer within 0\.5 s"):
        slurm_saying(tmp_path, "squeue", "exec sleep 5").listed()


def test_without_accounts_there_are_none(tmp_path: Path):
    slurm = slurm_saying(tmp_path, "sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert slurm.accounts(["1"]) == {}


def test_what_is_not_installed_says_so():
    with pytest.raises(SchedulerAway, match="no-such-program cannot be started"):
        Slurm(via=("no-such-program",)).listed()


def measured(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "-S", str(MEASURE), str(folder), *command])


def usage(folder: Path) -> dict[str, Any]:
    return StageFolder(folder, 1, 1).usage()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    StageFolder(tmp_path, 1, 1).path.mkdir(parents=True)
    return StageFolder(tmp_path, 1, 1).path


def test_a_command_is_measured(folder: Path, tmp_path: Path):
    work = "import time; block = bytearray(60_000_000); time.sleep(0.5); raise SystemExit(3)"
    assert measured(folder, sys.executable, "-c", work).wait() == 3
    assert usage(tmp_path)["exit_code"] == 3
    assert usage(tmp_path)["time_s"] >= 0.5
    assert 57 < usage(tmp_path)["memory_mib"] < 200  # 60 MB and python


def test_death_by_a_signal_is_told_like_a_shell_does(folder: Path, tmp_path: Path):
    assert measured(folder, "/bin/sh", "-c", "kill -11 $$").wait() == 128 + 11
    assert usage(tmp_path)["exit_code"] == -11


def test_what_is_asked_to_end_is_measured_too(folder: Path, tmp_path: Path):
    process = measured(folder, "/bin/sh", "-c", f"touch {folder}/begun; exec sleep 60")
    while not (folder / "begun").exists():
        time.sleep(0.02)
    process.terminate()
    assert process.wait(5) == 128 + 15
    assert usage(tmp_path)["exit_code"] == -15


def test_the_pace_lets_one_of_many_through():
    pace = Pace(clock=lambda: seconds)
    seconds = 0.0
    assert (pace.is_due(10), pace.is_due(10)) == (True, False)
    seconds = 6.0
    assert (pace.is_due(10), pace.is_due(10, now=True), pace.is_due(10)) == (False, True, False)
    seconds = 16.0
    assert pace.is_due(10)
