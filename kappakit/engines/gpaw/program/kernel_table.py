"""The Fourier-transformed vdW-DF kernel, kept on disk: it depends on no crystal, and to make it takes 5 s a process."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import gpaw
import numpy as np
from gpaw.xc.vdw import FFTVDWFunctional


def keep_in(folder: Path) -> None:
    """From now on tables are read from `folder` where they are there, and written there where they are not."""
    original = FFTVDWFunctional.construct_fourier_transformed_kernels

    def construct(self: Any) -> None:
        path = folder / f"vdw-kernel-{_digest(self)}.npy"
        pairs = [(a, b) for a in range(self.Nalpha) for b in range(a, self.Nalpha)]
        if path.exists():
            tables = np.load(path)
            one_way = dict(zip(pairs, tables, strict=True))
            self.phi_aajp = one_way | {(b, a): table for (a, b), table in one_way.items()}
            return
        original(self)
        _write(path, np.array([self.phi_aajp[pair] for pair in pairs]))

    FFTVDWFunctional.construct_fourier_transformed_kernels = construct


def _digest(xc: Any) -> str:
    """Of all that the table depends on."""
    facts = (gpaw.__version__, xc.Nalpha, xc.lambd, xc.q0cut, xc.rcut, xc.Nr, xc.D_j.tolist(), xc.delta_i.tolist())
    return hashlib.sha256(repr(facts).encode() + np.ascontiguousarray(xc.phi_ij).tobytes()).hexdigest()[:16]


def _write(path: Path, tables: np.ndarray) -> None:
    """Whole or not at all: other calculations read at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as stream:
        np.save(stream, tables)
    os.replace(partial, path)
