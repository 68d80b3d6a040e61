"""`make demo`: the stack, the demo's campaign to its end, and the pages until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click

from kappaweb.embedded import stack
from kappaweb.embedded.places import Places

SCIENTIST, APPROVER = "scientist", "approver"
ADDRESS_WAIT_S = 120.0


def run(*, protocol: str, exit_at_end: bool, fresh: bool, grant: float, port: int | None) -> int:
    """Run the demo; returns the exit code. A second demo beside a running one prints its address and returns 0."""
    places = stack.default_places()
    places.run.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _as_interrupt)
    with _lock(places.run / "demo.lock") as alone:
        if not alone:
            return _point_to_the_other(places)
        ours = not stack.is_running(places)
        try:
            return _run(places, protocol=protocol, exit_at_end=exit_at_end, fresh=fresh, grant=grant, port=port)
        except KeyboardInterrupt:
            click.echo("\nStopped. `make demo` goes on from here.")
            return 130
        finally:
            if ours:
                stack.stop(places)


def _run(places: Places, *, protocol: str, exit_at_end: bool, fresh: bool, grant: float, port: int | None) -> int:
    address = stack.start(places, port=port)
    _say_where(places, address)
    code = _campaign(places, protocol, fresh, grant)
    if exit_at_end or code == 130:
        return code
    _say_where(places, address)
    click.echo("Serving until Ctrl-C.")
    signal.pause()
    return code


def _campaign(places: Places, protocol: str, fresh: bool, grant: float) -> int:
    asked = ["--protocol", protocol, "--grant", str(grant), *(["--fresh"] if fresh else [])]
    command = [sys.executable, stack.MANAGE, "demo_campaign", *asked]
    return subprocess.run(command, env=os.environ | stack.environment_of(places), check=False).returncode


def _say_where(places: Places, address: str) -> None:
    port = urlsplit(address).port
    click.echo(f"\nPages         {address}")
    click.echo(
        f"Sign in once  {stack.login_link(places, SCIENTIST)}  (15 min; another: kappaweb login-link {SCIENTIST})"
    )
    click.echo(f"As approver   {stack.login_link(places, APPROVER)}  (decides on DFT)")
    click.echo(f"From afar     ssh -L {port}:127.0.0.1:{port} USER@THIS-MACHINE, then open the address there\n")


def _point_to_the_other(places: Places) -> int:
    end = time.monotonic() + ADDRESS_WAIT_S
    while not (address := stack.address(places)) and time.monotonic() < end:
        time.sleep(0.5)
    click.echo(f"The demo is already running: {address or 'it is still starting'}")
    return 0


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
