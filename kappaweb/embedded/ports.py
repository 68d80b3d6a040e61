"""Which port the pages are served on."""

from __future__ import annotations

import socket

from kappaweb.embedded.supervision import StackError

FIRST, LAST = 8000, 8999


def is_free(port: int) -> bool:
    """Whether the loopback's port can be bound now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(wanted: int | None) -> int:
    """`wanted`, or the next free one from FIRST; raises StackError when there is none."""
    if wanted is not None:
        if not is_free(wanted):
            raise StackError(f"Port {wanted} is in use by another program: choose another PORT, or none.")
        return wanted
    for port in range(FIRST, LAST + 1):
        if is_free(port):
            return port
    raise StackError(f"No port from {FIRST} to {LAST} is free: give PORT.")
