"""Nothing is lost and nothing is doubled, whatever is killed, frozen, lost, repeated or restarted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kappaweb.embedded import postgres, stack
from kappaweb.embedded.places import Places
from tests.worker.slurm_node import SlurmNode, why_not

PROJECT = Path(__file__).resolve().parents[2]
FAST = {"KAPPAWEB_LEASE_SECONDS": "4", "KAPPAWEB_HEARTBEAT_SECONDS": "0.5", "KAPPAWEB_RECONCILE_SECONDS": "1"}


def fault_run(home: Path, *, jobs: int, faults: int) -> dict[str, Any]:
    """Counts of one run."""
    return counts_of(home, "tests.faults.fault_run", "--jobs", str(jobs), "--faults", str(faults))


def counts_of(home: Path, module: str, *words: str, **more: str) -> dict[str, Any]:
    """What a run prints: in a process of its own, with a stack and a database of its own."""
    command = [sys.executable, "-m", module, *words]
    own = {"KAPPAWEB_HOME": str(home), "DJANGO_SETTINGS_MODULE": "tests.faults.settings"} | more
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    try:
        done = subprocess.run(
            command, env=inherited | FAST | own, cwd=PROJECT, capture_output=True, text=True, check=False
        )
    finally:  # a run over its time is killed before it can clear up
        stack.stop(Places(home))
        postgres.remove(Places(home))
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return json.loads(done.stdout.splitlines()[-1])


def assert_nothing_lost_nothing_doubled(counts: dict[str, Any]) -> None:
    assert counts["words_lost"] == 0
    assert counts["words_doubled"] == 0
    assert counts["attempts_done_twice"] == 0
    assert counts["innocent_words_failed"] == []
    assert counts["poisonous_words_blamed"] == counts["poisonous_words"]
    assert counts["states"].get("FAILED", 0) == counts["poisonous_words"]
    assert set(counts["states"]) <= {"DONE", "FAILED"}


@pytest.mark.timeout(600)
def test_thirty_jobs_survive_one_fault_of_each_kind(tmp_path: Path):
    counts = fault_run(tmp_path / "home", jobs=30, faults=6)
    assert_nothing_lost_nothing_doubled(counts)
    assert set(counts["faults"].values()) == {1}


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_three_hundred_jobs_survive_thirty_faults(tmp_path: Path):
    counts = fault_run(tmp_path / "home", jobs=300, faults=30)
    assert_nothing_lost_nothing_doubled(counts)
    assert sum(counts["faults"].values()) == 30


@pytest.mark.faults
@pytest.mark.slurm
@pytest.mark.timeout(400)
@pytest.mark.skipif(bool(why_not()), reason=f"no Slurm: {why_not()}")
def test_jobs_on_slurm_survive_a_worker_that_is_killed(tmp_path: Path):
    node = SlurmNode(tmp_path / "slurm")
    cluster = {"KAPPAWEB_SLURM": "1", "KAPPAWEB_SLURM_POLL_SECONDS": "1", "KAPPAWEB_SLURM_GRACE_SECONDS": "5"}
    try:
        node.start()
        cluster["SLURM_CONF"] = node.environment["SLURM_CONF"]
        counts = counts_of(tmp_path / "home", "tests.faults.slurm_run", "--jobs", "12", "--kills", "4", **cluster)
        submitted = [name for name in node.names() if name.startswith("kappaweb-")]
    finally:
        node.stop()
    assert_nothing_lost_nothing_doubled(counts)
    assert counts["faults"]["worker killed"] == 4
    assert len(submitted) == len(set(submitted)) == 12
