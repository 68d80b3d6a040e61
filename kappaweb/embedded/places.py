"""Where the embedded stack keeps its files: one home folder a clone, nothing elsewhere unless the owner is root."""

from __future__ import annotations

import hashlib
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYSTEM_FOLDER = Path("/var/lib/kappaweb")
"""As root: PostgreSQL refuses to run as root, and another user may be unable to reach the clone."""

LONGEST_SOCKET = 107
"""Bytes of a Unix socket's path, with its terminating zero, on Linux: 108."""

SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Places:
    """The folders of one stack. `home` holds what people may look at, `cluster` what PostgreSQL's user owns."""

    home: Path

    @property
    def digest(self) -> str:
        """Names this home in folders that several homes share."""
        return hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:12]

    @property
    def server_user(self) -> str | None:
        """As whom PostgreSQL runs; None: as the caller, who is not root."""
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name for entry in pwd.getpwall()}
        return "postgres" if "postgres" in known else "nobody"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder: data, socket and password file."""
        if self.server_user:
            return SYSTEM_FOLDER / "clusters" / self.digest
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.cluster / "data"

    @property
    def socket(self) -> Path:
        """The 0700 folder of the Unix socket, short enough for its path."""
        near = self.cluster / "socket"
        if len(str(near / SOCKET_NAME).encode()) < LONGEST_SOCKET:
            return near
        return Path("/tmp") / f"kappaweb-{os.geteuid()}-{self.digest}"

    @property
    def passfile(self) -> Path:
        """libpq's password file (0600)."""
        return self.cluster / "pgpass"

    @property
    def run(self) -> Path:
        """Configuration and state of the running stack."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """One log a process."""
        return self.home / "log"

    @property
    def broker(self) -> Path:
        """Messages of the file system broker."""
        return self.home / "broker"

    @property
    def artifacts(self) -> Path:
        """Content-addressed files."""
        return self.home / "artifacts"


def database(places: Places) -> dict[str, Any]:
    """Django's description of the embedded database; libpq looks the password up when it connects."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "kappaweb",
        "USER": "kappaweb",
        "HOST": str(places.socket),
        "OPTIONS": {"passfile": str(places.passfile)},
    }
