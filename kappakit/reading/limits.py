"""What reading a file from a stranger may cost."""

from __future__ import annotations

from dataclasses import dataclass

READY = {"ready": True}
"""The first line of the reader's output: its libraries are loaded."""


@dataclass(frozen=True)
class Limits:
    """What a file from a stranger may cost, and what counts as a crystal.

    max_bytes after unpacking, for all members of an archive together; memory in bytes of address space; frame_seconds
    of processor time a frame, cpu_seconds in all; answer_seconds until a process that says nothing is killed,
    start_seconds until it says its first word; min_distance Å; volumes Å³/atom; max_length Å of a lattice vector.
    """

    max_bytes: int = 256 * 2**20
    max_atoms: int = 200
    max_frames: int = 200_000
    max_members: int = 10_000
    memory: int = 2 * 2**30
    frame_seconds: float = 10.0
    answer_seconds: float = 60.0
    start_seconds: float = 300.0
    cpu_seconds: int = 3600
    min_distance: float = 0.5
    min_volume: float = 1.0
    max_volume: float = 1000.0
    max_length: float = 200.0
