"""Every stage that a worker can run."""

from __future__ import annotations

from apps.jobs.bindings import Binding
from apps.training.stages import BINDINGS as TRAINING

BINDINGS: dict[str, Binding] = {binding.name: binding for binding in TRAINING}
