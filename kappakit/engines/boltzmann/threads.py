"""Compiled loops on as many threads as torch may use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch

Found = TypeVar("Found")


def in_threads(run: Callable[[slice], Found], size: int) -> list[Found]:
    """What `run` makes of the halves, thirds, … of a range, one for each thread, in order."""
    threads = max(1, min(torch.get_num_threads(), size))
    parts = [slice(int(begin), int(end)) for begin, end in pairwise(np.linspace(0, size, threads + 1).astype(int))]
    if threads == 1:
        return [run(parts[0])]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, parts))
