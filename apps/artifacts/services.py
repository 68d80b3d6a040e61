"""Storing and reading files by content."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from apps.artifacts.models import Artifact
from apps.core.errors import NotThere, StorageFull

FULL = (errno.ENOSPC, errno.EDQUOT)


def store(path: Path, *, kind: str, name: str = "", content_type: str = "application/octet-stream") -> Artifact:
    """Keep a copy of the file at `path`: on disk and synced before its row; the same content and kind is one row.

    Raises StorageFull when the disk has no room; nothing half-written stays.
    """
    with path.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        target = path_of_digest(sha256)
        if not target.exists():
            source.seek(0)
            _write(source, target)
    return _row(sha256, kind, name or path.name, content_type)


def store_bytes(content: bytes, *, kind: str, name: str, content_type: str = "application/octet-stream") -> Artifact:
    """`store` for content in memory."""
    digest = hashlib.sha256(content).hexdigest()
    if not path_of_digest(digest).exists():
        _write(io.BytesIO(content), path_of_digest(digest))
    return _row(digest, kind, name, content_type)


def path(artifact: Artifact) -> Path:
    """Where the bytes lie; raises NotThere when the file is missing."""
    found = path_of_digest(artifact.sha256)
    if not found.exists():
        raise NotThere(f"The file of artifact {artifact.pk} ({artifact.sha256}) is missing from the storage folder.")
    return found


def read(artifact: Artifact) -> bytes:
    """The content; raises NotThere."""
    return path(artifact).read_bytes()


def path_of_digest(sha256: str) -> Path:
    """By content: two levels of folders."""
    return Path(settings.ARTIFACTS) / sha256[:2] / sha256[2:4] / sha256


def _row(sha256: str, kind: str, name: str, content_type: str) -> Artifact:
    size = path_of_digest(sha256).stat().st_size
    facts = {"size": size, "content_type": content_type, "name": name}
    artifact, _ = Artifact.objects.get_or_create(sha256=sha256, kind=kind, defaults=facts)
    return artifact


def _write(source: BinaryIO, target: Path) -> None:
    """Whole or not at all: into a draft beside the target, synced, renamed, the folder synced."""
    draft = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".draft-", delete=False) as file:
            draft = file.name
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o444)
        os.rename(draft, target)
        _sync(target.parent)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        if error.errno in FULL:
            raise StorageFull(f"The disk of {settings.ARTIFACTS} is full: make room, then try again.") from error
        raise


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
