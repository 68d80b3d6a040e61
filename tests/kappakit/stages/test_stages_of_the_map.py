"""Embed, sample, neighbours: a pool that is too small reduces them with a note."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.errors import InputError
from kappakit.protocol import EmbedSettings, NeighbourSettings, SampleSettings
from kappakit.reference import reference_crystals
from kappakit.stages import embed, neighbours, sample
from kappakit.stages.contracts import EmbedInputs, Item, NeighboursInputs, SampleInputs

ALL = tuple(Item(name, known.crystal, -9.0 + 0.01 * i) for i, (name, known) in enumerate(reference_crystals().items()))
CARBON = tuple(item for item in ALL if item.crystal.chemical_system == "C")
LINE = np.array([[0.0, 0.0], [1.0, 0.0], [2.5, 0.0], [10.0, 0.0]])
IDS = ("a", "b", "c", "d")


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_a_small_pool_is_embedded_with_a_note(engines, n: int) -> None:
    outputs = embed.run(EmbedInputs(CARBON[:n]), EmbedSettings(), engines=engines)
    assert outputs.descriptors.shape == (n, 147)
    assert outputs.plane.shape == (n, 2)
    assert len(outputs.notes) == 1


def test_crystals_of_several_chemical_systems_share_one_map(engines) -> None:
    outputs = embed.run(EmbedInputs(ALL), EmbedSettings(), engines=engines)
    assert outputs.ids == tuple(item.id for item in ALL)
    assert np.isfinite(outputs.plane).all()
    place = dict(zip(outputs.ids, outputs.descriptors, strict=True))
    to_diamond = {key: np.linalg.norm(row - place["diamond"]) for key, row in place.items()}
    assert to_diamond["lonsdaleite"] < to_diamond["graphite"] < to_diamond["cubic-BN"]


def test_an_empty_pool_cannot_be_embedded_or_sampled(engines) -> None:
    with pytest.raises(InputError):
        embed.run(EmbedInputs(()), EmbedSettings(), engines=engines)
    with pytest.raises(InputError):
        sample.run(SampleInputs((), np.empty((0, 2)), ()), SampleSettings(), engines=engines)


def test_the_sample_starts_in_the_middle_and_reference_crystals_follow(engines) -> None:
    inputs = SampleInputs(IDS, LINE, (-1.0, -2.0, -3.0, -4.0), mandatory=("a", "d", "elsewhere"))
    outputs = sample.run(inputs, SampleSettings(count=2), engines=engines)
    assert [(p.id, p.order, p.distance, p.how) for p in outputs.picks] == [
        ("c", 0, None, "fps"),
        ("d", 1, 7.5, "fps"),
        ("a", 2, 2.5, "reference"),
    ]
    assert outputs.notes == ("not in the pool, so not in the sample: elsewhere",)


def test_the_sample_may_start_at_the_lowest_energy(engines) -> None:
    inputs = SampleInputs(IDS, LINE, (-1.0, -2.0, -3.0, -4.0))
    outputs = sample.run(inputs, SampleSettings(count=2, first="lowest"), engines=engines)
    assert [pick.id for pick in outputs.picks] == ["d", "a"]


def test_a_pool_smaller_than_the_sample_is_taken_whole_with_a_note(engines) -> None:
    outputs = sample.run(SampleInputs(IDS, LINE, (0.0,) * 4), SampleSettings(count=50), engines=engines)
    assert {pick.id for pick in outputs.picks} == set(IDS)
    assert outputs.notes == ("sample reduced from 50 to 4: the pool holds no more",)


def test_neighbours_of_several_centres_are_merged_and_excluded_ones_left_out(engines) -> None:
    inputs = NeighboursInputs(IDS, LINE, centres=("a", "d"), exclude=("b",))
    outputs = neighbours.run(inputs, NeighbourSettings(k=1), engines=engines)
    assert [(n.centre, n.id, n.rank, n.distance) for n in outputs.neighbours] == [
        ("a", "c", 1, 2.5),
        ("d", "c", 1, 7.5),
    ]
    assert outputs.found == ("c",)
    assert outputs.notes == ()


def test_more_neighbours_than_there_are_crystals_is_a_note(engines) -> None:
    outputs = neighbours.run(NeighboursInputs(IDS, LINE, ("a", "z")), NeighbourSettings(k=10), engines=engines)
    assert outputs.found == ("b", "c", "d")
    assert outputs.notes == (
        "neighbours reduced from 10 to 3 each: no more crystals are left",
        "not on the map, so without neighbours: z",
    )


def test_no_centres_have_no_neighbours(engines) -> None:
    outputs = neighbours.run(NeighboursInputs(IDS, LINE, ()), NeighbourSettings(), engines=engines)
    assert (outputs.neighbours, outputs.found, outputs.notes) == ((), (), ())
