"""The processes of the embedded stack as data, and the supervisor's configuration made of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kappaweb.embedded import postgres
from kappaweb.embedded.places import Places

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """One process: lower `order` starts first and stops last."""

    name: str
    command: tuple[str, ...]
    order: int
    user: str = ""
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    environment: Mapping[str, str] = field(default_factory=dict)


def database_program(places: Places) -> Program:
    """PostgreSQL; SIGINT is its fast shutdown."""
    command = tuple(postgres.server_command(places))
    return Program("postgres", command, 10, places.server_user or "", "INT", 60)


def worker_program(queues: str, *, slots: int, name: str = "") -> Program:
    """A Celery worker: `slots` threads that each wait for one stage process."""
    name = name or queues
    options = ("-P", "threads", "-c", str(slots), "-Q", queues, "-n", f"{name}@%h", "-l", "WARNING")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    command = (sys.executable, "-m", "celery", "-A", "kappaweb", "worker", *options, *quiet)
    return Program(f"worker-{name}", command, 20)


def programs(places: Places, *, external_database: bool, gpus: int, slurm: bool = False) -> list[Program]:
    """One heavy stage at a time with all cores, two light ones, one on each core, one on each GPU; two for Slurm."""
    found = [] if external_database else [database_program(places)]
    found += [worker_program("heavy", slots=1), worker_program("light", slots=2)]
    found.append(worker_program("single", slots=len(os.sched_getaffinity(0))))
    if gpus:
        found.append(worker_program("gpu", slots=gpus))
    if slurm:
        found.append(worker_program("hpc", slots=2))
    python = sys.executable
    found.append(Program("reconcile", (python, str(PROJECT / "manage.py"), "reconcile"), 30))
    web = (python, "-m", "gunicorn", "-c", str(places.run / "gunicorn.conf.py"), "kappaweb.wsgi")
    return [*found, Program("web", web, 40)]


def supervisor_configuration(places: Places, found: Sequence[Program], control: Path) -> str:
    """supervisord's ini file; nothing starts by itself, the stack starts each when what it needs is there."""
    root = "user=root\n" if places.server_user else ""
    head = f"""[supervisord]
logfile={_quoted(places.log / "supervisor.log")}
pidfile={_quoted(places.run / "supervisord.pid")}
directory={_quoted(PROJECT)}
identifier=kappaweb
nocleanup=true
{root}
[unix_http_server]
file={_quoted(control)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_section(places, program) for program in found)


def gunicorn_configuration(port: int) -> str:
    """gunicorn's settings: one process with threads, on the loopback only."""
    return f'bind = "127.0.0.1:{port}"\nworkers = 1\nthreads = 8\ntimeout = 120\naccesslog = "-"\n'


def _section(places: Places, program: Program) -> str:
    settings = {
        "command": " ".join(f'"{_quoted(word)}"' for word in program.command),
        "directory": "/" if program.user else _quoted(PROJECT),
        "priority": program.order,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        "startretries": 20,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_seconds,
        "redirect_stderr": "true",
        "stdout_logfile": _quoted(places.log / f"{program.name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
    }
    if program.user:
        settings["user"] = program.user
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    return f"\n[program:{program.name}]\n{lines}"


def _quoted(word: object) -> str:
    return str(word).replace("%", "%%")
