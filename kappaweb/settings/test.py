"""Settings of the tests: a cluster of their own, cheap passwords."""

from __future__ import annotations

from kappaweb.embedded.places import Places, database
from kappaweb.settings.base import *  # noqa: F403
from kappaweb.settings.base import DATABASE_URL, DATABASES, INSTALLED_APPS, PLACES

PLACES = Places(PLACES.home / "test")
if not DATABASE_URL:
    DATABASES["default"] |= database(PLACES)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ARTIFACTS = PLACES.artifacts
STAGE_FOLDERS = SLURM_FOLDERS = PLACES.home / "stages"
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
AXES_ENABLED = False

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.echoes"]
STAGE_MODULE = "kappakit.testing.echo_run"
