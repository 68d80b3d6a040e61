"""Loops over triplets on as many threads as torch may use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch

Found = TypeVar("Found")


def in_threads(run: Callable[[slice], Found], size: int) -> list[Found]:
    """What `run` makes of the halves, thirds, … of a range, one for each thread, in order.

    Inside, torch uses the part's own thread alone: matrices of a few dozen rows are too small to be shared, and threads
    that wait for each other after every one of them lose more than they gain.
    """
    allowed = torch.get_num_threads()
    threads = max(1, min(allowed, size))
    parts = [slice(int(begin), int(end)) for begin, end in pairwise(np.linspace(0, size, threads + 1).astype(int))]
    if threads == 1:
        return [run(parts[0])]
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(run, parts))
    finally:
        torch.set_num_threads(allowed)
