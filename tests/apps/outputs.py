"""Small outputs of true shape, and stages that make them from what was loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.jobs.bindings import Loaded
from kappakit.crystals import Crystal
from kappakit.stages import contracts as c

LATTICE = 3.567 / 2


def diamond(scale: float = 1.0) -> Crystal:
    """Diamond's primitive cell, scaled: each scale is another geometry."""
    cell = LATTICE * scale * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=float)
    return Crystal.from_symbols(cell, [[0, 0, 0], [0.25, 0.25, 0.25]], ["C", "C"])


def boron_nitride() -> Crystal:
    """Cubic boron nitride."""
    found = diamond(1.014)
    return Crystal(found.cell, found.frac, np.array([5, 7]))


def imported(*crystals: Crystal, name: str = "given.extxyz", refusals: Sequence[c.Refusal] = ()) -> c.ImportOutputs:
    """As if `name` held these crystals."""
    return c.ImportOutputs(
        tuple(c.ImportedCrystal(crystal, f"crystal {i}", f"{name}#{i}") for i, crystal in enumerate(crystals, 1)),
        tuple(refusals),
    )


def relaxed_item(key: str, crystal: Crystal, energy: float = -7.5) -> c.RelaxedItem:
    """`crystal` as the end of a relaxation."""
    deviations = c.Deviations((0.01, 0.01, 0.01), (0.0, 0.0, 0.0), -0.03, 0.001)
    return c.RelaxedItem(key, crystal, energy, 0.004, np.full((3, 3), 1e-4), 12, True, deviations, 0.2)


def relaxes(loaded: Loaded, *, rejected: Sequence[str] = ()) -> c.RelaxOutputs:
    """Every crystal shrinks by one per cent; those whose id is in `rejected` fly apart."""
    items = [item for item in loaded.inputs.items if item.id not in rejected]
    ends = [Crystal(item.crystal.cell * 0.99, item.crystal.frac, item.crystal.numbers) for item in items]
    energies = [-7.0 - 0.01 * rank for rank in range(len(items))]
    out = tuple(c.Refusal(item.id, "volume", "flew apart") for item in loaded.inputs.items if item.id in rejected)
    rows = tuple(relaxed_item(i.id, end, e) for i, end, e in zip(items, ends, energies, strict=True))
    return c.RelaxOutputs(rows, out, "allegro 0", "float64", False)


def all_unique(loaded: Loaded) -> c.DeduplicateOutputs:
    """No two are the same."""
    return c.DeduplicateOutputs(tuple(item.id for item in loaded.inputs.items), ())


def all_new(loaded: Loaded) -> c.NoveltyOutputs:
    """Nothing is known."""
    return c.NoveltyOutputs(tuple(c.NoveltyVerdict(item.id, "new") for item in loaded.inputs.items))


def facts(item: c.Item, *, passes: bool = True, reason: str = "") -> c.SymmetryFacts:
    """Diamond's symmetry."""
    return c.SymmetryFacts(
        item.id, 227, "Fd-3m", "m-3m", 48, 2, "cubic", ("a", "a"), item.crystal, item.crystal, 3, passes, reason
    )


def all_pass(loaded: Loaded) -> c.ScreenOutputs:
    """Each is simple and symmetric."""
    return c.ScreenOutputs(tuple(facts(item) for item in loaded.inputs.items), ())


def flat_hull(loaded: Loaded) -> c.StabilityOutputs:
    """Everything lies on the hull."""
    rows = tuple(c.HullEnergy(item.id, 0.0) for item in loaded.inputs.items)
    return c.StabilityOutputs(rows, tuple(row.id for row in rows))


def on_a_line(loaded: Loaded) -> c.EmbedOutputs:
    """Item number n lies at (n, 0), its descriptors are (n, 1, 0, 0)."""
    ids = tuple(item.id for item in loaded.inputs.items)
    n: Any = np.arange(len(ids), dtype=float)
    descriptors = np.column_stack([n, np.ones_like(n), 0 * n, 0 * n]).astype(np.float32)
    return c.EmbedOutputs(ids, descriptors, np.column_stack([n, 0 * n]), 5.0, ("perplexity reduced",))


def first_and_last(loaded: Loaded) -> c.SampleOutputs:
    """The two ends."""
    ids = loaded.inputs.ids
    return c.SampleOutputs((c.Pick(ids[0], 0, None, "fps"), c.Pick(ids[-1], 1, 3.0, "fps")), ("small pool",))
