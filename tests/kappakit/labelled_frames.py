"""Rattled diamond cells of two atoms, two to a group, with the fake potential's labels."""

from __future__ import annotations

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import LabelledCrystal
from kappakit.testing.potentials import FakePotential

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])


def rattled_diamonds(count: int) -> list[Crystal]:
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        frac = np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]) + rng.normal(0.0, 0.02, (2, 3))
        made.append(Crystal(3.6 * FCC + rng.normal(0.0, 0.05, (3, 3)), frac, np.array([6, 6])))
    return made


def labelled_frames(count: int) -> list[LabelledCrystal]:
    made = rattled_diamonds(count)
    labels = FakePotential().evaluate(made)
    return [LabelledCrystal(c, e, str(i // 2), "ref") for i, (c, e) in enumerate(zip(made, labels, strict=True))]
