"""What reading a file from a stranger may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a file from a stranger may cost, and what counts as a crystal.

    max_bytes after unpacking; memory in bytes of address space; frame_seconds a frame, grace_seconds more until a
    process that does not answer is killed, cpu_seconds of processor time in all;
    min_distance Å; volumes Å³/atom; max_length Å of a lattice vector.
    """

    max_bytes: int = 256 * 2**20
    max_atoms: int = 200
    max_frames: int = 200_000
    memory: int = 2 * 2**30
    frame_seconds: float = 10.0
    grace_seconds: float = 20.0
    cpu_seconds: int = 3600
    min_distance: float = 0.5
    min_volume: float = 1.0
    max_volume: float = 1000.0
    max_length: float = 200.0
