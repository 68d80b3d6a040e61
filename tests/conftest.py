"""The database of the tests: one embedded cluster that all test runs of this clone share, a database for each run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.conf import settings

from kappaweb.embedded import postgres
from kappaweb.embedded.places import Places


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Start the cluster for the first run that needs it; the last one stops it. Nothing where DATABASE_URL is given."""
    if settings.DATABASE_URL:
        yield
        return
    with postgres.shared(settings.PLACES, fsync="off", max_connections="200"):
        _drop_orphans(settings.PLACES)
        postgres.create_database(settings.PLACES)
        yield


def _drop_orphans(places: Places) -> None:
    """A run that was killed left its database behind."""
    for name in postgres.databases(places):
        pid = name.removeprefix("test_kappaweb_")
        if pid != name and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            postgres.query(places, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
