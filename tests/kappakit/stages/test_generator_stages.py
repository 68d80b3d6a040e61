"""Generate, thin, training novelty, report and assessment with a tiny trained generator and known crystals."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.engines.cdvae.samplers import SAMPLERS
from kappakit.engines.doors import RealEngines
from kappakit.engines.search.generator import SearchGenerator
from kappakit.errors import InputError
from kappakit.fingerprints import fingerprints
from kappakit.generation import is_plausible, is_valid
from kappakit.ports import GeneratedCrystal, GeneratorRef, PotentialRef, SilentProgress, TrainingCrystal
from kappakit.protocol import DeduplicateSettings, GenerateSettings
from kappakit.stages import assess_generator, generate, generation_report, thin, training_novelty
from kappakit.stages.contracts import (
    AssessInputs,
    GenerateInputs,
    GenerateOutputs,
    GenerationReportInputs,
    Item,
    ThinInputs,
    TrainingNoveltyInputs,
)
from kappakit.symmetry import find_symmetry, shortest_distance
from kappakit.testing.potentials import FakePotential
from tests.kappakit.small_crystals import FCC, small_crystals

WIDE = GenerateSettings(
    generator="cdvae", tries=1, min_atoms=1, max_atoms=4, min_volume=1.0, max_volume=100.0, min_distance=0.0
)
SEARCH = GeneratorRef("search", "search")


class Fixed(SearchGenerator):
    """Proposes these crystals, learned from those; a crystal that is None could not be found."""

    name = "fixed"

    def __init__(self, crystals: list[Crystal | None], learned: list[TrainingCrystal] | None = None) -> None:
        self.crystals, self.learned = crystals, learned or []

    def generate(self, *, start: int, count: int, **_: object) -> list[GeneratedCrystal]:
        numbers = range(start, start + count)
        return [GeneratedCrystal(c, i, i) for i in numbers if (c := self.crystals[i]) is not None]

    def training_set(self) -> list[TrainingCrystal]:
        return self.learned


class Engines(RealEngines):
    """The real doors, a generator that is given, and an analytic potential."""

    def __init__(self, given: object = None) -> None:
        super().__init__(SilentProgress())
        self.given = given

    def generator(self, ref: GeneratorRef) -> object:
        return self.given or super().generator(ref)

    def potential(self, ref: PotentialRef) -> FakePotential:
        return FakePotential()


def diamond(a: float = 3.57, shift: float = 0.0) -> Crystal:
    return Crystal(a * FCC, [[0.0, 0.0, 0.0], [0.25 + shift] * 3], [6, 6])


def cubic(a: float = 2.2) -> Crystal:
    return Crystal(a * np.eye(3), [[0.0, 0.0, 0.0]], [6])


def generated(crystals: list[Crystal | None], settings: GenerateSettings) -> GenerateOutputs:
    inputs = GenerateInputs(0, 0, len(crystals), GeneratorRef("fixed", "fixed"))
    return generate.run(inputs, settings, engines=Engines(Fixed(crystals)))


def test_what_lies_outside_the_limits_is_a_refusal_in_words() -> None:
    outputs = generated([diamond(), diamond(2.5), None, cubic(4.0)], replace(WIDE, min_distance=1.2, max_volume=9.0))
    assert [item.index for item in outputs.crystals] == [0]
    assert [(r.source, r.reason) for r in outputs.refusals] == [
        ("fixed#1", "too-close"),
        ("fixed#2", "no-crystal-found"),
        ("fixed#3", "volume"),
    ]
    assert outputs.refusals[0].detail == "two atoms are 1.08 Å apart; at least 1.2 Å are wanted"
    assert outputs.refusals[2].detail == "64.00 Å³/atom; 1–9 Å³/atom are wanted"


def test_each_number_is_a_crystal_or_a_refusal(tiny: GeneratorRef) -> None:
    settings = replace(WIDE, min_distance=1.3, max_volume=9.0)
    outputs = generate.run(GenerateInputs(3, 20, 8, tiny), settings, engines=Engines())
    refused = {int(r.source.split("#")[1]) for r in outputs.refusals}
    kept = {item.index for item in outputs.crystals}
    assert kept | refused == set(range(20, 28))
    assert not kept & refused
    assert all(shortest_distance(item.crystal) >= 1.3 for item in outputs.crystals)


def test_a_generated_crystal_carries_its_latent_vector_and_the_weights_that_made_it(
    tiny: GeneratorRef, tmp_path: Path
) -> None:
    outputs = generate.run(GenerateInputs(0, 0, 3, tiny), WIDE, engines=Engines())
    assert (outputs.generator, len(outputs.sha256)) == ("tiny", 64)
    assert [item.latent.shape for item in outputs.crystals] == [(16,)] * 3
    assert all(item.consistency > 0 for item in outputs.crystals)
    archive.write(tmp_path, "outputs", outputs)
    again = archive.read(tmp_path, "outputs", GenerateOutputs)
    assert [i.crystal.digest for i in again.crystals] == [i.crystal.digest for i in outputs.crystals]


def test_weights_that_are_not_those_of_the_reference_are_refused(tiny: GeneratorRef) -> None:
    with pytest.raises(InputError, match="are not those of tiny: their sha256 differs"):
        generate.run(GenerateInputs(0, 0, 1, replace(tiny, sha256="0" * 64)), WIDE, engines=Engines())


def test_centres_are_followed_by_a_trained_generator_and_refused_by_the_search(tiny: GeneratorRef) -> None:
    settings = replace(WIDE, temperature=0.0, count=2)
    about = generate.run(GenerateInputs(0, 0, 2, tiny, (diamond(),)), settings, engines=Engines())
    np.testing.assert_array_equal(about.crystals[0].latent, about.crystals[1].latent)
    between = generate.run(GenerateInputs(0, 0, 2, tiny, (diamond(), cubic())), settings, engines=Engines())
    assert (between.crystals[0].latent != between.crystals[1].latent).any()
    with pytest.raises(InputError, match="choose a trained generator"):
        generate.run(GenerateInputs(0, 0, 1, SEARCH, (diamond(),)), settings, engines=Engines())


def test_a_crystal_that_is_nearly_symmetric_is_made_so() -> None:
    outputs = generated([diamond(shift=0.005)], replace(WIDE, symmetrise=0.1))
    (item,) = outputs.crystals
    assert item.symmetrised == "Fd-3m"
    assert find_symmetry(item.crystal, symprec=1e-4, angle_tolerance=-1.0).operations == 48


@pytest.mark.parametrize("crystal", [diamond(), diamond(shift=0.03)], ids=["exact", "far"])
def test_a_crystal_that_gains_nothing_is_left_alone(crystal: Crystal) -> None:
    (item,) = generated([crystal], replace(WIDE, symmetrise=0.02)).crystals
    assert item.symmetrised == ""
    assert item.crystal.digest == crystal.digest


NEARLY_CUBIC = Crystal(np.diag([2.2, 2.2, 4.4]), [[0.0, 0.0, 0.0], [0.0, 0.0, 0.505]], [6, 6])


def test_two_atoms_that_are_nearly_one_become_one() -> None:
    (item,) = generated([NEARLY_CUBIC], replace(WIDE, symmetrise=0.1)).crystals
    assert (item.symmetrised, item.crystal.n_atoms) == ("Pm-3m", 1)


@pytest.mark.parametrize("limits", [{"min_atoms": 2}, {"max_volume": 10.6481}])
def test_symmetry_leads_no_crystal_out_of_the_limits(limits: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    near = find_symmetry(NEARLY_CUBIC, symprec=0.1, angle_tolerance=-1.0)
    swollen = replace(near, primitive=Crystal(1.01 * near.primitive.cell, near.primitive.frac, near.primitive.numbers))
    exact = find_symmetry(NEARLY_CUBIC, symprec=1e-3, angle_tolerance=-1.0)
    monkeypatch.setattr(generate, "find_symmetry", lambda _, symprec, **__: swollen if symprec == 0.1 else exact)
    (item,) = generated([NEARLY_CUBIC], replace(WIDE, symmetrise=0.1, **limits)).crystals
    assert (item.symmetrised, item.crystal.digest) == ("", NEARLY_CUBIC.digest)


def items(*crystals: Crystal) -> tuple[Item, ...]:
    return tuple(Item(str(number), crystal) for number, crystal in enumerate(crystals))


def test_the_first_of_near_duplicates_stays_with_the_evidence(engines) -> None:
    supercell = Crystal(np.diag([2.2, 2.2, 4.4]), [[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]], [6, 6])
    pool = items(cubic(), diamond(), cubic(2.21), diamond(3.6, shift=0.005), supercell)
    outputs = thin.run(ThinInputs(pool), replace(WIDE, thin=0.1), engines=engines)
    assert outputs.representatives == ("0", "1")
    assert [(m.representative, m.duplicate) for m in outputs.matches] == [("0", "2"), ("0", "4"), ("1", "3")]
    assert all(m.energy_difference is None and m.rms_forward < 0.1 for m in outputs.matches)


def test_a_smaller_tolerance_thins_less(engines) -> None:
    pool = ThinInputs(items(diamond(), diamond(shift=0.02)))
    assert len(thin.run(pool, replace(WIDE, thin=0.3), engines=engines).representatives) == 1
    assert len(thin.run(pool, replace(WIDE, thin=0.01), engines=engines).representatives) == 2


def test_nothing_is_thinned_to_nothing(engines) -> None:
    outputs = thin.run(ThinInputs(()), replace(WIDE, thin=0.1), engines=engines)
    assert (outputs.representatives, outputs.matches) == ((), ())


def learned(crystal: Crystal, part: str, source: str, distinct: bool = True) -> TrainingCrystal:
    return TrainingCrystal(crystal, part, source, distinct)


def test_a_crystal_is_novel_unless_a_training_crystal_matches_it() -> None:
    known = [
        learned(diamond(3.6, 0.02), "train", "far"),
        learned(diamond(3.5), "train", "near"),
        learned(diamond(), "train", "copy", distinct=False),
        learned(cubic(), "test", "held out"),
    ]
    inputs = TrainingNoveltyInputs(items(diamond(), cubic()), SEARCH)
    outputs = training_novelty.run(inputs, DeduplicateSettings(), engines=Engines(Fixed([], known)))
    match, novel = outputs.verdicts
    assert (match.id, match.source) == ("0", "near")
    assert match.rms == pytest.approx(0.0, abs=1e-6)
    assert (novel.id, novel.source, novel.rms) == ("1", "", None)


def test_training_crystals_are_not_novel_to_the_generator_that_learned_them(tiny: GeneratorRef) -> None:
    inputs = TrainingNoveltyInputs(items(*small_crystals(6, seed=5)), tiny)
    verdicts = training_novelty.run(inputs, DeduplicateSettings(), engines=Engines()).verdicts
    assert all(verdict.source.startswith("small#") for verdict in verdicts)


def latents(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 16))


def test_a_report_measures_and_maps(tiny: GeneratorRef) -> None:
    crystals = small_crystals(12, seed=3)
    inputs = GenerationReportInputs(items(*crystals), latents(12), tiny, seed=0)
    outputs = generation_report.run(inputs, WIDE, engines=Engines())
    assert outputs.figures.crystals == 12
    assert outputs.figures.valid == np.mean([is_valid(c) for c in crystals])
    assert outputs.figures.plausible == np.mean([is_plausible(c) for c in crystals])
    assert outputs.figures.density_wasserstein is not None
    assert outputs.figures.recall is outputs.figures.precision is None
    assert "assess it first" in outputs.notes[0]
    assert outputs.ids == tuple(str(i) for i in range(12))
    assert len(outputs.training) == 32
    assert outputs.plane.shape == (44, 2)


def test_a_report_knows_coverage_where_the_generator_was_assessed(tiny: GeneratorRef, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "assessed"))
    test = [given.crystal for given in Engines().generator(tiny).training_set() if given.part == "test"]
    fingerprints(test).write(folder / "fingerprints.safetensors")
    inputs = GenerationReportInputs(items(*test), latents(len(test)), replace(tiny, folder=str(folder)), seed=0)
    figures = generation_report.run(inputs, WIDE, engines=Engines()).figures
    assert (figures.recall, figures.precision) == (1.0, 1.0)
    assert figures.density_wasserstein == pytest.approx(0.0, abs=1e-4)


def test_a_report_of_nothing_says_so(tiny: GeneratorRef) -> None:
    outputs = generation_report.run(GenerationReportInputs((), np.zeros((0, 16)), tiny, 0), WIDE, engines=Engines())
    assert outputs.notes == ("no crystals: there is nothing to measure",)
    assert outputs.plane.shape == (0, 2)


def test_a_report_without_latent_vectors_has_no_map() -> None:
    inputs = GenerationReportInputs(items(diamond()), np.zeros((0, 0)), SEARCH, 0)
    outputs = generation_report.run(inputs, WIDE, engines=Engines())
    assert (outputs.ids, outputs.training, outputs.plane.shape) == ((), (), (0, 2))
    assert outputs.figures.density_wasserstein is None


def test_a_map_shows_crystals_evenly(tiny: GeneratorRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_report, "MOST_ON_MAP", 5)
    inputs = GenerationReportInputs(items(*[diamond()] * 9), latents(9), tiny, 0)
    outputs = generation_report.run(inputs, WIDE, engines=Engines())
    assert outputs.ids == ("0", "2", "4", "6", "8")
    assert len(outputs.training) == 5


def test_an_assessment_measures_reconstruction_and_generation(
    tiny: GeneratorRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(SAMPLERS, "annealed", replace(SAMPLERS["annealed"], levels=3))
    inputs = AssessInputs(tiny, count=8, reconstructed=2, seed=0, potential=PotentialRef("fake", "fake"))
    outputs = assess_generator.run(inputs, WIDE, engines=Engines())
    quality = json.loads(outputs.quality, parse_constant=pytest.fail)
    assert quality["settings"] == {"sampler": "annealed", "tries": 1, "prior": "posterior"}
    assert quality["reconstruction"]["crystals"] == 2
    assert quality["generation"]["crystals"] == 8
    for name in ("valid", "plausible", "recall", "precision"):
        assert 0.0 <= quality["generation"][name] <= 1.0
    assert (tmp_path / outputs.fingerprints).exists()


class Poor(Fixed):
    """Everything that it makes has two atoms in one place."""

    def __init__(self) -> None:
        bad = Crystal(3.0 * np.eye(3), [[0.0, 0.0, 0.0], [0.05, 0.0, 0.0]], [6, 6])
        super().__init__([bad] * 4, [learned(diamond(), "test", "a"), learned(cubic(), "test", "b")])

    def reconstruct(self, crystals: list[Crystal], **_: object) -> list[Crystal]:
        return [self.crystals[0]] * len(crystals)


def test_a_generator_without_one_valid_crystal_has_figures_that_json_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = AssessInputs(SEARCH, count=4, reconstructed=2, seed=0, potential=PotentialRef("fake", "fake"))
    outputs = assess_generator.run(inputs, WIDE, engines=Engines(Poor()))
    quality = json.loads(outputs.quality, parse_constant=pytest.fail)
    assert quality["reconstruction"] == {"crystals": 2, "match": 0.0, "rmse": None}
    assert quality["generation"]["valid"] == 0.0
    assert quality["generation"]["density_wasserstein"] is None
    assert quality["generation"]["energy_wasserstein"] is None


def test_a_generator_that_learned_nothing_cannot_be_assessed() -> None:
    with pytest.raises(InputError, match="search has no test crystals"):
        assess_generator.run(AssessInputs(SEARCH, 4, 4, 0), WIDE, engines=Engines())
