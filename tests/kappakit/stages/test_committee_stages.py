"""The stages of the query by committee, each with little data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.labels import read_frames, write_frames
from kappakit.ports import Committee, LabelledCrystal, PotentialRef, SilentProgress
from kappakit.protocol import CommitteeSettings, ConductivitySettings
from kappakit.stages import dft_labels, final_fit, kappa_spread, start_set, train_committee, uncertainty
from kappakit.stages.contracts import (
    Item,
    LabelItem,
    RattleInputs,
    SpreadInputs,
    StartSetInputs,
    StartSetOutputs,
    TrainMemberInputs,
    TrainOutputs,
    UncertaintyInputs,
    UncertaintyOutputs,
)
from kappakit.stages.table import NoSettings
from kappakit.testing.committees import FakeCommittee, FakeTrainer
from kappakit.testing.quick_run import QuickEngines
from kappakit.testing.run import FakeEngines
from tests.kappakit.labelled_frames import labelled_frames, rattled_diamonds
from tests.kappakit.reference_cells import diamond, lonsdaleite
from tests.kappakit.tersoff_potential import TersoffPotential

FAKE = PotentialRef("fake", "fake")
SETTINGS = CommitteeSettings(size=2, test_fraction=0.25)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick() -> QuickEngines:
    return QuickEngines(SilentProgress())


def shifted(frame: LabelledCrystal, method: str, energy_per_atom: float = 0.0) -> LabelledCrystal:
    energy = frame.evaluation.energy + energy_per_atom * frame.crystal.n_atoms
    return replace(frame, method=method, evaluation=replace(frame.evaluation, energy=energy))


def start(engines: FakeEngines, frames: Sequence[LabelledCrystal], settings: CommitteeSettings) -> StartSetOutputs:
    write_frames(Path("labels.extxyz"), frames)
    return start_set.run(StartSetInputs("labels.extxyz", "default", 0), settings, engines=engines)


def label(index: int, method: str = "default", energy_per_atom: float = 0.0) -> LabelItem:
    frame = shifted(labelled_frames(index + 1)[index], method, energy_per_atom)
    found = frame.evaluation
    return LabelItem(str(index), frame.crystal, found.energy, found.forces, found.stress, "42", method)


def member(outputs: StartSetOutputs, **changes: object) -> TrainMemberInputs:
    given = TrainMemberInputs(
        0, 1, "carbon-tiny", outputs.start, outputs.test, held_out=outputs.start_groups[:1], overrides={"epochs": 1}
    )
    return replace(given, **changes)


def test_no_crystal_is_in_the_start_set_and_in_the_test_set(quick: QuickEngines) -> None:
    found = start(quick, labelled_frames(24), SETTINGS)
    written = read_frames(Path(found.start)), read_frames(Path(found.test))
    assert [len(w) for w in written] == [found.start_frames, found.test_frames] == [18, 6]
    assert not set(found.start_groups) & set(found.test_groups)
    assert {f.group for f in written[1]} == set(found.test_groups)
    assert found.methods == {"default": 24}
    assert any("reduced from 1000 to 18" in note for note in found.notes)


def test_a_file_without_labels_is_refused(quick: QuickEngines) -> None:
    with pytest.raises(InputError, match="no labelled configuration"):
        start(quick, [], SETTINGS)


def test_labels_survive_the_files(quick: QuickEngines) -> None:
    frames = labelled_frames(24)
    found = start(quick, frames, SETTINGS)
    by_energy = {round(f.evaluation.energy, 6): f for f in frames}
    for frame in read_frames(Path(found.start)):
        before = by_energy[round(frame.evaluation.energy, 6)]
        assert (frame.group, frame.kind, frame.method) == (before.group, before.kind, "default")
        np.testing.assert_allclose(frame.evaluation.forces, before.evaluation.forces, atol=1e-7)
        np.testing.assert_allclose(frame.evaluation.stress, before.evaluation.stress, atol=1e-7)


def test_the_most_diverse_frames_are_taken_in_the_order_of_the_file(quick: QuickEngines) -> None:
    odd = LabelledCrystal(lonsdaleite(), labelled_frames(1)[0].evaluation, "odd")
    odd = replace(odd, evaluation=replace(odd.evaluation, forces=np.zeros((4, 3))))
    found = start(quick, [odd, *labelled_frames(24)], replace(SETTINGS, start_count=5))
    written = read_frames(Path(found.start))
    assert len(written) == 5
    assert written[0].crystal.n_atoms == 4 or "odd" in found.test_groups
    order = [f.evaluation.energy for f in labelled_frames(24)]
    places = [order.index(pytest.approx(f.evaluation.energy)) for f in written if f.group != "odd"]
    assert places == sorted(places)


def test_an_oracle_replaces_the_labels_of_the_file(quick: QuickEngines) -> None:
    write_frames(Path("labels.extxyz"), [shifted(f, "dft", 3.0) for f in labelled_frames(24)])
    inputs = StartSetInputs("labels.extxyz", "surrogate", 0, oracle=FAKE)
    found = start_set.run(inputs, SETTINGS, engines=quick)
    assert found.methods == {"surrogate": 24}
    right = {round(f.evaluation.energy, 5) for f in labelled_frames(24)}
    assert {round(f.evaluation.energy, 5) for f in read_frames(Path(found.start))} <= right


def test_the_test_set_stands_on_one_zero(quick: QuickEngines) -> None:
    frames = [shifted(f, "b" if i % 4 == 0 else "a") for i, f in enumerate(labelled_frames(24))]
    found = start(quick, frames, SETTINGS)
    assert {f.method for f in read_frames(Path(found.test))} == {"a"}
    assert any("left out: another method" in note for note in found.notes)


def test_a_member_trains_on_labels_and_its_card_says_what_it_saw(quick: QuickEngines) -> None:
    outputs = start(quick, labelled_frames(24), SETTINGS)
    real = FakeEngines(SilentProgress())
    trained = train_committee.run(member(outputs, labels=(label(1), label(2))), NoSettings(), engines=real)
    card = json.loads(trained.card)
    assert card["split"]["validation"]["groups"] == list(outputs.start_groups[:1])
    assert "label:42" in card["split"]["train"]["groups"]
    assert not set(outputs.test_groups) & set(card["split"]["train"]["groups"])
    assert (card["data"]["frames"], card["data"]["labels"]) == (20, 2)
    assert card["data"]["labelled_crystals"] == ["42"]
    assert card["data"]["offsets"] == {}
    assert card["errors"]["test"]["all"]["frames"] == 6
    assert json.loads((Path(trained.folder) / "card.json").read_text()) == card
    assert trained.curve.shape == (1, 7)


def test_nothing_is_left_out_of_the_final_fit_and_the_test_set_validates(quick: QuickEngines) -> None:
    outputs = start(quick, labelled_frames(24), SETTINGS)
    real = FakeEngines(SilentProgress())
    trained = final_fit.run(member(outputs, held_out=()), NoSettings(), engines=real)
    split = json.loads(trained.card)["split"]
    assert split["train"]["groups"] == list(outputs.start_groups)
    assert split["validation"]["groups"] == list(outputs.test_groups)
    with pytest.raises(InputError, match="leaves no labelled crystal out"):
        final_fit.run(member(outputs), NoSettings(), engines=real)


class RecordingEngines(FakeEngines):
    """Keeps the frames that the trainer is given."""

    seen: Sequence[LabelledCrystal] = ()

    def trainer(self, engine: str) -> FakeTrainer:
        engines = self

        class Recording(FakeTrainer):
            def train(self, frames: Sequence[LabelledCrystal], **given: object) -> object:
                engines.seen = frames
                return super().train(frames, **given)

        return Recording()


def test_labels_of_another_method_are_moved_to_the_zero_of_the_start_set(quick: QuickEngines) -> None:
    outputs = start(quick, labelled_frames(24), SETTINGS)
    inputs = member(outputs, labels=(label(1, "other", 4.0), label(2, "other", 4.0)))
    with pytest.raises(InputError, match="share a fit only with a reference"):
        train_committee.run(inputs, NoSettings(), engines=quick)
    engines = RecordingEngines(SilentProgress())
    trained = train_committee.run(replace(inputs, reference=FAKE), NoSettings(), engines=engines)
    data = json.loads(trained.card)["data"]
    assert data["offsets"]["other"] == {"frames": 2, "residual": pytest.approx(4.0), "shift": pytest.approx(-4.0)}
    assert data["offsets"]["default"]["shift"] == 0.0
    assert data["offsets_reference"]["name"] == "fake"
    moved = [f.evaluation.energy for f in engines.seen if f.group == "label:42"]
    right = [labelled_frames(3)[i].evaluation.energy for i in (1, 2)]
    assert moved == pytest.approx(right, abs=1e-6)


def uncertain(quick: QuickEngines, crystals: Sequence[Crystal], members: Sequence[PotentialRef]) -> UncertaintyOutputs:
    outputs = start(quick, labelled_frames(24), SETTINGS)
    items = tuple(Item(str(index), crystal) for index, crystal in enumerate(crystals))
    return uncertainty.run(UncertaintyInputs(items, tuple(members), outputs.test), SETTINGS, engines=quick)


def test_members_agree_on_diamond_and_not_on_what_is_bent(quick: QuickEngines, own_folder: Path) -> None:
    found = uncertain(quick, [diamond(), rattled_diamonds(1)[0]], [FAKE, FAKE])
    perfect, bent = found.items
    assert perfect.energy_std < 1e-6 < bent.energy_std
    assert perfect.force_spread < 1e-6 < bent.force_spread
    assert bent.energies.shape == (2,)
    assert found.calibration.spread_energy.shape == (6,)
    assert found.calibration.energy_mae < 1e-3
    assert found.seconds > 0.0
    archive.write(own_folder, "outputs", found)
    assert archive.read(own_folder, "outputs", UncertaintyOutputs).items[1].energy_std == bent.energy_std


class PickyCommittee(FakeCommittee):
    def evaluate(self, crystals: Sequence[Crystal]) -> list:
        if any(14 in crystal.numbers for crystal in crystals):
            raise InputError("knows C, not Si")
        return super().evaluate(crystals)


def test_a_crystal_that_the_members_do_not_know_is_refused_and_the_others_go_on(
    quick: QuickEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kappakit.testing.run.FakeCommittee", PickyCommittee)
    silicon = Crystal(diamond().cell, diamond().frac, np.array([14, 14]))
    found = uncertain(quick, [silicon, diamond()], [FAKE, FAKE])
    assert [item.id for item in found.items] == ["1"]
    assert [(r.source, r.reason) for r in found.refusals] == [("0", "unknown-element")]


def test_labels_on_the_members_cards_make_them_agree_more(quick: QuickEngines) -> None:
    outputs = start(quick, labelled_frames(24), SETTINGS)
    trained: list[TrainOutputs] = []
    for labels in ((), tuple(label(i) for i in range(8))):
        trained.append(train_committee.run(member(outputs, labels=labels), NoSettings(), engines=quick))
    ref = PotentialRef("fake", "m", trained[1].folder)
    before = uncertain(quick, rattled_diamonds(1), [FAKE, FAKE]).items[0].energy_std
    after = uncertain(quick, rattled_diamonds(1), [ref, ref]).items[0].energy_std
    assert after == pytest.approx(before / 2)


def test_eight_rattled_supercells_are_proposed(quick: QuickEngines) -> None:
    found = dft_labels.run(RattleInputs(Item("7", diamond()), 3), SETTINGS, engines=quick)
    assert (found.repeats, len(found.cells)) == ((2, 2, 2), 8)
    assert {cell.n_atoms for cell in found.cells} == {16}
    assert min(found.lengths) >= 5.0
    primitive = dft_labels.run(
        RattleInputs(Item("7", diamond()), 3), replace(SETTINGS, rattle_length=0.0, rattles=3), engines=quick
    )
    assert [cell.n_atoms for cell in primitive.cells] == [2, 2, 2]


class TersoffCommittee:
    """Twice Tersoff's carbon, and once a potential that nothing holds together."""

    size = 3

    def evaluate(self, crystals: Sequence[Crystal]) -> list:
        raise LookupError("not asked")

    def member(self, index: int) -> object:
        return TersoffPotential() if index < 2 else Repulsive()


class Repulsive(TersoffPotential):
    def evaluate(self, crystals: Sequence[Crystal]) -> list:
        found = super().evaluate(crystals)
        return [replace(e, energy=-e.energy, forces=-e.forces, stress=-e.stress) for e in found]


class SpreadEngines(FakeEngines):
    def committee(self, refs: Sequence[PotentialRef]) -> Committee:
        return TersoffCommittee()


def test_every_member_has_its_own_conductivity_or_says_why_not() -> None:
    settings = ConductivitySettings(
        supercell_rule="repeat",
        displacements="systematic",
        fc3_supercell=2,
        fc2_supercell=2,
        pair_cutoff=1.6,
        mesh_length=12.0,
    )
    inputs = SpreadInputs("7", diamond(), (FAKE,) * 3, 0.1, 1.0, 3)
    found = kappa_spread.run(inputs, settings, engines=SpreadEngines(SilentProgress()))
    first, second, third = found.members
    assert first.largest == pytest.approx(second.largest)
    assert 500.0 < (first.largest or 0.0) < 5000.0
    np.testing.assert_allclose(first.principal, first.principal[0], rtol=1e-6)
    assert first.dynamical == "stable"
    assert third.largest is None
    assert third.note
    assert found.seconds > 0.0
