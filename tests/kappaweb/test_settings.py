"""What the settings promise."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from django.db import connection

from kappaweb.embedded.secrets import read_or_create


@pytest.mark.django_db
def test_the_tests_have_a_postgresql_of_their_own():
    with connection.cursor() as cursor:
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
    assert connection.settings_dict["NAME"].startswith("test_kappaweb_")


@pytest.mark.django_db
def test_pages_forbid_scripts_and_frames_of_others(client):
    policy = client.get("/login/")["Content-Security-Policy"]
    for rule in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe-eval" not in policy


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "new" / "secret-key"
    secret = read_or_create(path)
    assert len(secret) > 50
    assert read_or_create(path) == secret
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
