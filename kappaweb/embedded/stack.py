"""Start and stop everything on one machine."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kappaweb.embedded import ports, postgres
from kappaweb.embedded.places import Places
from kappaweb.embedded.programs import PROJECT, Program, gunicorn_configuration, programs, supervisor_configuration
from kappaweb.embedded.supervision import ProcessState, StackError, Supervisor, log_tail

MANAGE = str(PROJECT / "manage.py")


def default_places() -> Places:
    """The home of this clone, or KAPPAWEB_HOME."""
    return Places(Path(os.environ.get("KAPPAWEB_HOME", PROJECT / "var")).resolve())


def start(places: Places, *, port: int | None = None, only: Sequence[str] = ()) -> str:
    """Start what does not run yet, `only` those processes if given, and return the address ('' without the web).

    Raises StackError (a port in use, a process that dies) or DatabaseUnavailable.
    """
    for folder in _folders(places):
        folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(places):
        supervisor = _supervisor(places)
        wanted = [name for name in _in_order(places) if not only or name in only]
        _database_up(places, supervisor, wanted)
        if not only and not is_running(places):
            migrate(places)
            manage(places, "seed", "--skip-checks")
        for name in wanted:
            if name == "web":
                _web_up(places, supervisor, port)
            else:
                supervisor.start(name, wait=False)
    return address(places)


def stop(places: Places) -> None:
    """Stop everything in order; does nothing where nothing runs."""
    Supervisor(places).shutdown()
    _address_file(places).unlink(missing_ok=True)


def is_running(places: Places) -> bool:
    """Whether the pages of this home are being served."""
    supervisor = Supervisor(places)
    return supervisor.is_running() and supervisor.states()["web"].state == "RUNNING"


def address(places: Places) -> str:
    """Where the pages are; '' where they are not served."""
    file = _address_file(places)
    return file.read_text() if file.exists() and is_running(places) else ""


def status(places: Places) -> list[ProcessState]:
    """Each process and its state; empty when nothing runs."""
    supervisor = Supervisor(places)
    return list(supervisor.states().values()) if supervisor.is_running() else []


def login_link(places: Places, username: str) -> str:
    """A one-time address for `username`, good for 15 minutes; raises StackError for a name that nobody has."""
    path = manage(places, "login_link", username).strip().splitlines()[-1]
    return address(places).rstrip("/") + path


def migrate(places: Places) -> None:
    """Bring the database's tables up to date."""
    manage(places, "migrate", "--no-input", "--skip-checks", "-v", "0")


def manage(places: Places, *arguments: str) -> str:
    """Run `manage.py` with this home; returns its output, raises StackError with it when it fails."""
    environment = os.environ | environment_of(places)
    done = subprocess.run(
        [sys.executable, MANAGE, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError(f"manage.py {arguments[0]} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def manage_here(places: Places, *arguments: str) -> int:
    """Run `manage.py` with this home in this terminal; returns its exit code."""
    environment = os.environ | environment_of(places)
    return subprocess.run([sys.executable, MANAGE, *arguments], env=environment, check=False).returncode


def environment_of(places: Places) -> dict[str, str]:
    """What each process of the stack must know."""
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "kappaweb.settings.base")
    pace = os.environ.get("KAPPAWEB_RECONCILE_SECONDS", "3")
    return {
        "KAPPAWEB_HOME": str(places.home),
        "DJANGO_SETTINGS_MODULE": settings,
        "KAPPAWEB_RECONCILE_SECONDS": pace,
        "CELERY_SKIP_CHECKS": "1",
    }


def _folders(places: Places) -> list[Path]:
    broker = [places.broker / "messages", places.broker / "control"]
    return [places.run, places.log, places.artifacts, places.home / "static", *broker]


def gpu_count() -> int:
    """GPUs that the driver shows, without loading anything of theirs."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _external_database() -> bool:
    return bool(os.environ.get("DATABASE_URL"))


def _programs(places: Places) -> list[Program]:
    slurm = os.environ.get("KAPPAWEB_SLURM", "") == "1"
    return programs(places, external_database=_external_database(), gpus=gpu_count(), slurm=slurm)


def _in_order(places: Places) -> list[str]:
    return [program.name for program in sorted(_programs(places), key=lambda program: program.order)]


def _supervisor(places: Places) -> Supervisor:
    supervisor = Supervisor(places)
    if not supervisor.is_running():
        supervisor.wait_until_gone()
        postgres.create(places)
        configuration = supervisor_configuration(places, _programs(places), supervisor.control)
        supervisor.launch(configuration, environment_of(places))
    return supervisor


def _database_up(places: Places, supervisor: Supervisor, wanted: Sequence[str]) -> None:
    if "postgres" in wanted:
        supervisor.start("postgres")
        postgres.wait_until_ready(places)
        postgres.create_database(places)


def _web_up(places: Places, supervisor: Supervisor, port: int | None) -> None:
    if supervisor.states()["web"].state == "RUNNING":
        return
    chosen = ports.choose(port)
    (places.run / "gunicorn.conf.py").write_text(gunicorn_configuration(chosen))
    supervisor.start("web")
    _address_file(places).write_text(f"http://127.0.0.1:{chosen}/")
    _wait_for_page(places, f"http://127.0.0.1:{chosen}/login/")


def _wait_for_page(places: Places, url: str, *, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
            raise StackError(f"The first page fails: {log_tail(places.log / 'web.log')}") from error
        except OSError as error:
            if time.monotonic() > end:
                raise StackError(f"The pages do not answer: {log_tail(places.log / 'web.log')}") from error
        time.sleep(0.2)


def _address_file(places: Places) -> Path:
    return places.run / "address"


@contextmanager
def _one_at_a_time(places: Places) -> Iterator[None]:
    with (places.run / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
