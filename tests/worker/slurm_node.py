"""A real Slurm on this machine while tests run: munged, slurmctld and slurmd, everything in one folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

PARTS = ("munged", "slurmctld", "slurmscriptd", "slurmd")

CONFIGURATION = """ClusterName=kappatest
SlurmctldHost={host}
SlurmUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=sched_interval=1,bf_interval=1
MpiDefault=none
ReturnToService=2
SlurmdTimeout=300
KillWait=2
MessageTimeout=10
MinJobAge=300
NodeName={host} CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why no Slurm can be started here, '' where one can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: slurm-wlm, munge)"
    return "" if os.geteuid() == 0 else "a Slurm of our own needs root"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class SlurmNode:
    """The programs in the foreground, children of this process."""

    folder: Path
    host: str = field(default_factory=lambda: socket.gethostname().partition(".")[0])
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def start(self) -> None:
        """Everything up, the node idle; raises TimeoutError with the logs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        ports = {"controller_port": free_port(), "node_port": free_port()}
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(host=self.host, folder=self.folder, **ports))
        self._start_munge()
        self._launch("slurmctld", "-D", "-c")
        self.start_node()

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munge.pid", "seed-file": "munge.seed"}
        places = [f"--{name}={self.folder / file}" for name, file in files.items()]
        self._launch("munged", "--foreground", "--force", *places)
        self._until((self.folder / "munge.socket").exists)

    def start_node(self) -> None:
        """The node (again), ready for work."""
        self._launch("slurmd", "-D")
        self._until(self._is_idle)

    def lose_node(self) -> None:
        """The machine is gone with all that ran on it, and the controller hears of it."""
        for pid in self._steps():
            os.kill(pid, signal.SIGKILL)
        self._kill("slurmd")
        self.ask("scontrol", "update", f"nodename={self.host}", "state=down", "reason=lost")

    def stop(self) -> None:
        for name in ("slurmd", "slurmctld", "munged"):
            self._kill(name)

    def ask(self, *command: str) -> str:
        """A command's output; raises CalledProcessError."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def names(self) -> list[str]:
        """Names of all jobs that were ever submitted."""
        return self.ask("squeue", "--noheader", "--states=all", "--format=%j").split()

    def end_all(self) -> None:
        """Nothing runs any more."""
        self.ask("scancel", "--me")
        self._until(lambda: not self.ask("squeue", "--noheader"))

    def _is_idle(self) -> bool:
        back = ("scontrol", "update", f"nodename={self.host}", "state=resume")
        subprocess.run(back, env=self.environment, capture_output=True, check=False)
        state = ("sinfo", "--noheader", "--format=%t")
        done = subprocess.run(state, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "idle"

    def _steps(self) -> set[int]:
        """What runs on this node: processes with its configuration that are none of its programs."""
        wanted = f"SLURM_CONF={self.folder / 'slurm.conf'}".encode()
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                ours = wanted in (entry / "environ").read_bytes().split(b"\0")
                name = (entry / "comm").read_text().strip()
            except OSError:
                continue
            if ours and name not in PARTS:
                found.add(int(entry.name))
        return found

    def _launch(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self.running[name] = subprocess.Popen([name, *words], env=self.environment, stdout=out, stderr=out)

    def _kill(self, name: str) -> None:
        process = self.running.pop(name, None)
        if process:
            process.kill()
            process.wait()

    def _until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("".join(log.read_text() for log in self.folder.glob("*.[lo][ou][gt]")))
            time.sleep(0.1)
