"""A file is kept by its content, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from django.db import ProgrammingError

from apps.artifacts import services as artifacts
from apps.artifacts.models import Artifact
from apps.core.errors import NotThere, StorageFull

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings) -> Path:
    settings.ARTIFACTS = tmp_path / "artifacts"
    return settings.ARTIFACTS


def test_the_same_content_is_stored_once():
    first = artifacts.store_bytes(b"diamond", kind="log", name="a.txt")
    again = artifacts.store_bytes(b"diamond", kind="log", name="b.txt")
    assert again == first
    assert artifacts.read(first) == b"diamond"
    assert first.sha256 == hashlib.sha256(b"diamond").hexdigest()


def test_a_full_disk_is_said_clearly_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, storage: Path):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull, match="is full: make room"):
        artifacts.store_bytes(b"diamond", kind="log", name="a.txt")
    assert not Artifact.objects.exists()
    assert [path for path in storage.rglob("*") if path.is_file()] == []


def test_a_missing_file_is_said_clearly():
    artifact = artifacts.store_bytes(b"diamond", kind="log", name="a.txt")
    artifacts.path(artifact).unlink()
    with pytest.raises(NotThere):
        artifacts.read(artifact)


def test_an_artifact_cannot_be_changed_in_the_database():
    artifact = artifacts.store_bytes(b"diamond", kind="log", name="a.txt")
    with pytest.raises(ProgrammingError, match="Cannot update"):
        Artifact.objects.filter(pk=artifact.pk).update(size=1)
