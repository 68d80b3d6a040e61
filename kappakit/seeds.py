"""Seeds of a campaign's sequences."""

from __future__ import annotations

import numpy as np


def crystal_seed(seed: int, index: int) -> int:
    """The seed (32 bits) of crystal number `index` of the sequence of campaign seed `seed`."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
