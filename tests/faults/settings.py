"""The real stack with one more stage: the echo."""

from __future__ import annotations

from kappaweb.settings.base import *  # noqa: F403
from kappaweb.settings.base import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.echoes"]
STAGE_MODULE = "kappakit.testing.echo_run"
