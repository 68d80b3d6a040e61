"""Every stage that a worker can run."""

from __future__ import annotations

from apps.jobs.bindings import Binding

BINDINGS: dict[str, Binding] = {}
