"""What several stages share: a crystal under its caller's key, and what was not taken."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.crystals import Crystal


@dataclass(frozen=True)
class Refusal:
    """Something that was not taken: `source` says which file or crystal, `reason` is a code, `detail` is for people."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True, eq=False)
class Item:
    """A crystal under its caller's key; energy in eV per atom where it is known."""

    id: str
    crystal: Crystal
    energy_per_atom: float | None = None
