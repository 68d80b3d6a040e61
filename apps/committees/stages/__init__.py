"""How the committee meets the database."""

from __future__ import annotations

from apps.jobs.bindings import Binding

BINDINGS: tuple[Binding, ...] = ()
