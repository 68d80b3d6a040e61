"""A committee learns from DFT behind the gate: each step as the worker takes it, with made-up numbers."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apps.artifacts import services as artifacts
from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign, CampaignState, Step, StepState
from apps.campaigns.services import campaign_clone, campaign_resume
from apps.committees.models import Committee, FinalFit, LabelRound, LabelSet, Member, UncertaintyRecord
from apps.committees.selectors import (
    committees_of,
    final_potential,
    label_items,
    last_committee,
    members_of,
)
from apps.committees.selectors.uncertainties import uncertainties
from apps.committees.services import LabelsRefused, labels_add
from apps.conductivity.models import KappaPlan, KappaSpread, KappaTensor
from apps.core.errors import Conflict, NotAllowed
from apps.dft.models import Decision, DftRequest
from apps.dft.services import budget_grant, calculations_decide
from apps.jobs.models import Job
from apps.structures.models import Exclusion
from apps.training.selectors import models_list, potentials_ready
from kappakit.dft import DftTask, method_digest
from kappakit.engines.surrogate import SurrogateCode
from kappakit.labels import shipped_labels
from kappakit.protocol import DftRunSettings
from kappakit.testing.potentials import FakePotential
from tests.apps.learning import DFT, Learning, a_label_set, a_learning, a_protocol, labelled, labels_file
from tests.apps.rows import a_campaign, a_member, a_model, a_user, may_create

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings: Any) -> None:
    settings.ARTIFACTS = tmp_path / "artifacts"


@pytest.fixture
def learning(tmp_path: Path) -> Learning:
    return a_learning(tmp_path)


def approve(learning: Learning, answer: str = "approve") -> None:
    """An approver with budget decides on all that waits."""
    campaign = learning.campaign
    member = campaign.memberships.filter(roles__contains=["approver"]).first()
    approver = member.user if member else a_member(campaign, "approver", name="approver")
    if member is None:
        budget_grant(campaign=campaign, core_hours=1e6, user=approver)
    waiting = campaign.dft_calculations.filter(state=Decision.PROPOSED)
    shown = [(row.pk, row.version) for row in waiting]
    calculations_decide(shown=shown, answer=answer, user=approver, reason="because")


class TestStartSet:
    def test_start_set_and_fixed_test_set_are_kept_with_their_method(self, learning: Learning) -> None:
        learning.go()
        start, test = (LabelSet.objects.get(kind=kind) for kind in ("start", "test"))
        source = LabelSet.objects.get(kind="upload").artifact
        assert (start.frames, test.frames) == (6, 2)
        assert start.methods == {f"file:{source.sha256}": 6}
        assert test.groups == ["group 6", "group 7"]
        assert start.artifact_id != test.artifact_id
        assert learning.step("start_set/0/0").report == {"kept": 6, "dropped": 0}

    def test_without_an_upload_the_campaign_halts_with_what_to_do(self, tmp_path: Path) -> None:
        campaign = a_learning(tmp_path, upload=False).go()
        assert campaign.state == CampaignState.HALTED
        assert "upload a labelled extended XYZ file" in campaign.halt_reason

    def test_labels_of_other_elements_halt_the_campaign_with_their_names(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, upload=False)
        a_label_set(learning.campaign, "upload", labels_file(tmp_path, labelled(symbol=14)))
        campaign = learning.go()
        assert campaign.state == CampaignState.HALTED
        assert "crystals with C, the labels of labels.extxyz are of Si" in campaign.halt_reason

    def test_an_unreadable_upload_halts_the_campaign_with_its_name(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, upload=False)
        broken = tmp_path / "broken.extxyz"
        broken.write_text("3\nnothing\n")
        a_label_set(learning.campaign, "upload", broken)
        assert "broken.extxyz cannot be read" in learning.go().halt_reason

    def test_a_packed_upload_is_linked_under_a_name_that_says_so(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, upload=False)
        packed = tmp_path / "labels.extxyz.gz"
        packed.write_bytes(gzip.compress(labels_file(tmp_path).read_bytes()))
        a_label_set(learning.campaign, "upload", packed)
        learning.go()
        (loaded,) = learning.loaded["start_set"]
        assert loaded.inputs.file == "labels.extxyz.gz"
        assert set(loaded.files) == {"labels.extxyz.gz"}

    def test_the_labels_that_come_with_the_program_need_no_upload(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, upload=False, protocol=a_protocol(start="carbon-dft"))
        assert learning.go().state == CampaignState.DONE
        (loaded,) = learning.loaded["start_set"]
        assert Path(loaded.files["labels.extxyz.gz"]).read_bytes() == shipped_labels().read_bytes()

    def test_a_surrogate_labels_anew_under_the_digest_that_its_own_labels_have(self, tmp_path: Path) -> None:
        a_model("stand-in", engine="fake", sha256="", card={"name": "fake"})
        surrogate = replace(DFT, engine="surrogate", surrogate="stand-in")
        learning = a_learning(tmp_path, protocol=a_protocol(dft=surrogate))
        learning.go()
        (loaded,) = learning.loaded["start_set"]
        task = DftTask("label", labelled(1)[0].crystal, surrogate)
        told = SurrogateCode(FakePotential()).run(task, DftRunSettings(), tmp_path, lambda *_: None)
        assert loaded.inputs.oracle.name == "stand-in"
        assert loaded.inputs.method == told.method_sha256 == method_digest(told.method)

    def test_a_surrogate_that_is_not_there_halts_the_campaign(self, tmp_path: Path) -> None:
        protocol = a_protocol(dft=replace(DFT, engine="surrogate", surrogate="nobody"))
        campaign = a_learning(tmp_path, protocol=protocol).go()
        assert "“nobody” stand for DFT, and no potential of this name is ready" in campaign.halt_reason

    def test_the_uploaded_file_is_linked_whole(self, learning: Learning) -> None:
        learning.go()
        (loaded,) = learning.loaded["start_set"]
        assert Path(loaded.files["labels.extxyz"]).read_bytes() == artifacts.read(Artifact.objects.get(kind="labels"))
        assert loaded.settings["test_fraction"] == 0.15


class TestUploads:
    def test_who_operates_may_give_a_draft_its_labels_and_a_second_file_takes_their_place(self, tmp_path: Path) -> None:
        campaign = a_campaign(a_user("owner"), protocol=a_protocol())
        given = labels_add(
            campaign=campaign, file_name="a/mine.extxyz", content=labels_file(tmp_path), user=campaign.owner
        )
        assert (given.file_name, given.kind, given.uploaded_by) == ("mine.extxyz", "upload", campaign.owner)
        again = labels_add(
            campaign=campaign, file_name="b.extxyz", content=labels_file(tmp_path, labelled(4)), user=campaign.owner
        )
        assert again.pk == given.pk
        assert LabelSet.objects.get().file_name == "b.extxyz"

    def test_a_viewer_may_not_and_a_started_campaign_takes_none(self, tmp_path: Path) -> None:
        campaign = a_campaign(a_user("owner"), protocol=a_protocol())
        path = labels_file(tmp_path)
        with pytest.raises(NotAllowed):
            labels_add(campaign=campaign, file_name="l", content=path, user=a_member(campaign, "viewer"))
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)
        with pytest.raises(Conflict, match="was started"):
            labels_add(campaign=campaign, file_name="l", content=path, user=campaign.owner)

    def test_an_empty_file_and_one_that_the_protocol_would_not_read_are_refused(self, tmp_path: Path) -> None:
        campaign = a_campaign(a_user("owner"), protocol=a_protocol())
        empty = tmp_path / "empty"
        empty.touch()
        with pytest.raises(LabelsRefused, match="is empty"):
            labels_add(campaign=campaign, file_name="empty", content=empty, user=campaign.owner)
        other = a_campaign(campaign.owner, "other", protocol=a_protocol(start="carbon-dft"))
        with pytest.raises(LabelsRefused, match="come with the program"):
            labels_add(campaign=other, file_name="l", content=labels_file(tmp_path), user=campaign.owner)

    def test_a_clone_begins_with_the_same_labels(self, learning: Learning) -> None:
        may_create(learning.owner)
        clone = campaign_clone(campaign=learning.campaign, user=learning.owner, name="again")
        assert clone.label_sets.get().artifact == learning.campaign.label_sets.get().artifact


class TestMembers:
    def test_each_member_has_a_job_a_seed_and_a_part_of_its_own(self, learning: Learning) -> None:
        learning.go()
        members = list(Member.objects.order_by("index"))
        assert [m.index for m in members] == [0, 1, 2]
        assert len({m.seed for m in members}) == 3
        assert len({tuple(m.held_out) for m in members}) == 3
        assert all(len(m.held_out) == 1 for m in members)  # an eighth of six crystals, one at least
        assert Job.objects.filter(kind="train_committee").count() == 3
        loaded = learning.loaded["train_committee"][0]
        assert (loaded.inputs.start, loaded.inputs.test, loaded.inputs.initial) == ("start.extxyz", "test.extxyz", "")
        assert {"start.extxyz", "test.extxyz"} <= set(loaded.files)

    def test_a_member_is_a_ready_model_that_no_list_shows(self, learning: Learning) -> None:
        learning.go()
        model = Member.objects.get(index=1).model
        assert model.name == "carbon · committee 0/0 · member 1"
        assert (model.state, model.created_by, model.files.count()) == ("READY", learning.owner, 3)
        assert model not in models_list()
        assert model not in potentials_ready()

    def test_a_member_whose_training_fails_is_left_out_with_a_note(self, learning: Learning) -> None:
        learning.broken = {"train_committee:1"}
        learning.go()
        assert learning.step("train_committee/0/0").report == {"kept": 2, "dropped": 1}
        assert Member.objects.get(index=1).note == "it would not"
        assert len(learning.loaded["uncertainty"][0].inputs.members) == 2

    def test_a_committee_of_one_halts_and_a_resumed_campaign_trains_the_missing_ones(self, learning: Learning) -> None:
        learning.broken = {"train_committee:1", "train_committee:2"}
        campaign = learning.go()
        assert campaign.state == CampaignState.HALTED
        assert "Of 3 members 1 could be trained" in campaign.halt_reason
        assert "it would not" in campaign.halt_reason
        learning.broken = set()
        campaign_resume(campaign=campaign, user=learning.owner)
        assert learning.go().state == CampaignState.DONE
        assert set(Member.objects.values_list("note", flat=True)) == {""}
        assert Committee.objects.count() == 1

    def test_a_member_starts_warm_from_its_own_last_weights_and_for_fewer_epochs(self, tmp_path: Path) -> None:
        protocol = a_protocol(epochs=40, warm_epochs=10)
        learning = a_learning(tmp_path, protocol=protocol)
        learning.spreads = [{1: 30.0}, {}]
        learning.go()
        approve(learning)
        learning.go()
        first, second = committees_of(learning.campaign)
        for old, new in zip(members_of(first), members_of(second), strict=True):
            assert (new.index, new.warm_from, new.held_out) == (old.index, old, old.held_out)
        cold, warm = learning.loaded["train_committee"][0], learning.loaded["train_committee"][3]
        assert (cold.inputs.overrides, warm.inputs.overrides) == ({"epochs": 40}, {"epochs": 10})
        assert warm.inputs.initial == "initial"
        assert {"initial/model.safetensors", "initial/model.json", "initial/card.json"} <= set(warm.files)
        assert second.members.get(index=0).model.overrides == {"epochs": 10}

    def test_a_cold_committee_starts_from_fresh_weights(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, protocol=a_protocol(warm=False))
        learning.spreads = [{1: 30.0}, {}]
        learning.go()
        approve(learning)
        learning.go()
        assert not Member.objects.filter(warm_from__isnull=False).exists()
        assert {loaded.inputs.initial for loaded in learning.loaded["train_committee"]} == {""}


class TestUncertainty:
    def test_a_candidate_s_disagreement_the_calibration_and_the_reason_are_kept(self, learning: Learning) -> None:
        learning.spreads = [{1: 30.0, 2: 50.0}]
        learning.go()
        committee = Committee.objects.get()
        assert (committee.highest, committee.worst.index, committee.stopped) == (50.0, 2, "")
        assert committee.above == [learning.candidates[1].pk, learning.candidates[0].pk]
        assert committee.calibration["energy_mae"] == 1.5
        assert committee.calibration["groups"] == ["group 6", "group 7"]
        found = uncertainties([x.pk for x in learning.candidates])
        assert {pk: row.energy_std for pk, row in found.items()} == {
            learning.candidates[0].pk: 30.0, learning.candidates[1].pk: 50.0, learning.candidates[2].pk: 1.0
        }  # fmt: skip

    def test_whom_a_curator_took_out_is_not_asked_about(self, learning: Learning) -> None:
        Exclusion.objects.create(candidate=learning.candidates[0], reason="no", excluded_by=learning.owner)
        learning.go()
        assert UncertaintyRecord.objects.count() == 2

    def test_where_nobody_is_left_the_step_ends_at_once(self, learning: Learning) -> None:
        for candidate in learning.candidates:
            Exclusion.objects.create(candidate=candidate, reason="no", excluded_by=learning.owner)
        learning.go()
        assert learning.step("uncertainty/0/0").report == {"worst": None, "above": [], "highest": None}
        assert "No candidate is left" in Committee.objects.get().stopped

    def test_the_newest_committee_s_word_counts(self, learning: Learning) -> None:
        learning.spreads = [{1: 30.0}, {1: 4.0}]
        learning.go()
        approve(learning)
        learning.go()
        (found,) = uncertainties([learning.candidates[0].pk]).values()
        assert (found.energy_std, found.iteration) == (4.0, 1)
        assert uncertainties([]) == {}


class TestLabels:
    def test_the_worst_crystal_waits_at_the_gate_and_says_what_it_would_decide(self, learning: Learning) -> None:
        learning.spreads = [{2: 50.0}, {}]
        learning.go()
        request = DftRequest.objects.get()
        assert (request.key, request.title) == ("labels/0/0", "Labels for #2 (iteration 0)")
        assert "disagree by 50 meV/atom" in request.decides
        assert (request.uncertainty, request.proposed_by, request.candidate.index) == (50.0, learning.owner, 2)
        assert request.calculations.filter(state=Decision.PROPOSED).count() == 2
        step = learning.step("dft_labels/0/0")
        assert step.state == StepState.RUNNING
        assert "2 DFT calculations wait for approval" in step.note
        assert not Job.objects.filter(kind="calculate").exists()

    def test_approved_labels_are_learned_by_every_member(self, learning: Learning) -> None:
        learning.spreads = [{2: 50.0}, {}]
        learning.go()
        approve(learning)
        learning.go()
        assert learning.step("dft_labels/0/0").report == {"kept": 2, "dropped": 0}
        assert learning.steps()[:6] == [
            "start_set/0/0", "train_committee/0/0", "uncertainty/0/0", "dft_labels/0/0", "train_committee/0/1",
            "uncertainty/0/1",
        ]  # fmt: skip
        second = learning.loaded["train_committee"][3].inputs
        assert [item.group for item in second.labels] == ["label:labels/0/0"] * 2
        assert Committee.objects.get(iteration=1).labels == 2
        (expected,) = FakePotential().evaluate([second.labels[0].crystal])
        assert second.labels[0].energy == pytest.approx(expected.energy)

    @pytest.mark.parametrize("how", ["denied", "failed"])
    def test_a_crystal_that_gives_no_label_never_stops_the_loop_and_is_not_asked_again(
        self, learning: Learning, how: str
    ) -> None:
        learning.spreads = [{2: 50.0, 3: 40.0}, {2: 50.0, 3: 1.0}]
        learning.go()
        learning.broken = {"calculate"} if how == "failed" else set()
        approve(learning, "deny" if how == "denied" else "approve")
        campaign = learning.go()
        assert learning.step("dft_labels/0/0").report == {"kept": 0, "dropped": 2}
        assert campaign.state == CampaignState.DONE
        last = committees_of(campaign).last()
        assert last.above == [learning.candidates[1].pk]
        assert "had labels before" in last.stopped
        assert LabelRound.objects.count() == 1

    def test_a_granted_budget_is_spent_where_the_protocol_says_so(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, protocol=a_protocol(label="auto"))
        approver = a_member(learning.campaign, "approver", name="approver")
        budget_grant(campaign=learning.campaign, core_hours=1e6, user=approver, automatic=True)
        learning.spreads = [{2: 50.0}, {}]
        assert learning.go().state == CampaignState.DONE
        decisions = [row.decisions.get() for row in learning.campaign.dft_calculations.all()]
        assert {row.decided_by for row in decisions} == {approver}
        assert all(row.grant for row in decisions)

    def test_without_a_grant_an_automatic_protocol_still_waits(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, protocol=a_protocol(label="auto"))
        learning.spreads = [{2: 50.0}, {}]
        assert learning.go().state == CampaignState.RUNNING
        assert set(learning.campaign.dft_calculations.values_list("state", flat=True)) == {Decision.PROPOSED}

    def test_a_surrogate_goes_through_the_same_gate_with_its_digest(self, tmp_path: Path) -> None:
        oracle = a_model("stand-in", sha256="cd" * 32)
        surrogate = replace(DFT, engine="surrogate", surrogate="stand-in")
        learning = a_learning(tmp_path, protocol=a_protocol(dft=surrogate))
        learning.spreads = [{2: 50.0}, {}]
        learning.go()
        (first, _) = learning.campaign.dft_calculations.order_by("order")
        assert first.state == Decision.PROPOSED
        assert DftTask.from_text(first.inputs).oracle == oracle.sha256
        names = set(Member.objects.values_list("model__name", flat=True))
        assert names
        assert all(name.endswith(", of a surrogate") for name in names)

    def test_a_result_without_a_stress_is_not_learned_from_and_the_committee_says_so(self, learning: Learning) -> None:
        learning.spreads = [{2: 50.0}, {}]
        learning.go()
        approve(learning)
        learning.go()
        outcome = learning.campaign.dft_calculations.first().outcome
        type(outcome).objects.filter(pk=outcome.pk).update(stress=None)
        assert len(label_items(learning.campaign)) == 1


class TestEnds:
    def test_the_iterations_are_used_up_and_the_final_fit_follows(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, protocol=a_protocol(max_iterations=1))
        learning.spreads = [{1: 50.0, 2: 40.0}]
        learning.go()
        approve(learning)
        campaign = learning.go()
        assert campaign.state == CampaignState.DONE
        assert "The 1 iterations with labels are used up" in committees_of(campaign).last().stopped
        assert "final_fit/0/0" in learning.steps()
        assert LabelRound.objects.count() == 1

    def test_kappa_is_of_the_final_fit_and_lies_in_the_members_interval(self, learning: Learning) -> None:
        campaign = learning.go()
        assert campaign.state == CampaignState.DONE
        fit = final_potential(campaign)
        assert fit.name == "carbon · final fit (sweep 0)"
        assert fit in models_list()
        assert set(KappaPlan.objects.values_list("potential_id", flat=True)) == {fit.pk}
        assert learning.loaded["final_fit"][0].inputs.held_out == ()
        assert learning.step("final_fit/0/0").report == {"kept": 6, "dropped": 0}
        assert learning.loaded["kappa_plan"][0].inputs.potential.sha256 == fit.sha256
        tensor = KappaTensor.objects.get(candidate=learning.candidates[0], method="RTA")
        assert tensor.label[0].startswith("carbon · final fit (sweep 0)")
        assert tensor.label[-1] == "2 of 3 members: 1600–1660, σ 42 W/(m·K)"
        assert [row.largest for row in KappaSpread.objects.filter(plan=tensor.phonons.plan)] == [1600.0, 1660.0, None]
        assert learning.step("kappa_spread/0/0").report == {"kept": 3, "dropped": 0}

    def test_no_more_crystals_than_asked_are_computed_by_every_member(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, protocol=a_protocol(spread_count=1))
        learning.go()
        assert learning.step("kappa_spread/0/0").report == {"kept": 1, "dropped": 0}

    def test_where_nobody_is_ultrahigh_the_spread_ends_at_once(self, learning: Learning) -> None:
        learning.kappa = 10.0
        assert learning.go().state == CampaignState.DONE
        assert learning.step("kappa_spread/0/0").report == {"kept": 0, "dropped": 0}
        assert "kappa_spread" not in learning.loaded

    def test_a_later_sweep_begins_with_the_last_committee_and_fits_anew_after_its_labels(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, count=4, protocol=a_protocol(sweeps=1))
        sample, found = learning.candidates[:3], learning.candidates[3]
        rows = Step.objects.filter(campaign=learning.campaign, name="sample")
        rows.update(report={"selection_id": 1, "candidates": [x.pk for x in sample]})
        Step.objects.create(
            campaign=learning.campaign, name="neighbours", sweep=1, state=StepState.DONE,
            report={"selection_id": 2, "candidates": [found.pk]},
        )  # fmt: skip
        learning.spreads = [{}, {4: 50.0}, {}]
        learning.go()
        first = Committee.objects.get(sweep=0)
        again = Committee.objects.get(sweep=1, iteration=0)
        assert again.trained == first
        assert list(members_of(again)) == list(members_of(first))
        approve(learning)
        assert learning.go().state == CampaignState.DONE
        assert last_committee(learning.campaign).sweep == 1
        assert [fit.sweep for fit in FinalFit.objects.order_by("sweep")] == [0, 1]
        old, new = (final_potential(learning.campaign, sweep) for sweep in (0, 1))
        plans = dict(KappaPlan.objects.values_list("candidate_id", "potential_id"))
        assert plans == {x.pk: old.pk for x in sample} | {found.pk: new.pk}
        warm = Member.objects.filter(committee__sweep=1).order_by("index")
        assert [m.warm_from for m in warm] == list(members_of(first))

    def test_a_later_sweep_without_labels_keeps_the_fit_that_it_has(self, tmp_path: Path) -> None:
        learning = a_learning(tmp_path, count=2, protocol=a_protocol(sweeps=1))
        sample, found = learning.candidates
        rows = Step.objects.filter(campaign=learning.campaign, name="sample")
        rows.update(report={"selection_id": 1, "candidates": [sample.pk]})
        Step.objects.create(
            campaign=learning.campaign, name="neighbours", sweep=1, state=StepState.DONE,
            report={"selection_id": 2, "candidates": [found.pk]},
        )  # fmt: skip
        assert learning.go().state == CampaignState.DONE
        fit = FinalFit.objects.get()
        assert set(KappaPlan.objects.values_list("potential_id", flat=True)) == {fit.model_id}
        assert learning.step("conductivity/1/0").report["computed"] == 1
