"""A committee learns in earnest, the smallest way: real start set, training, uncertainties, rattles and final fit.

DFT is simulated, and labels stand on another zero than the start set, as those of another code would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.artifacts import services as artifacts
from apps.campaigns.models import CampaignState
from apps.committees.models import Committee, FinalFit, LabelSet, Member
from apps.committees.selectors import committees_of
from apps.dft.models import DftOutcome
from apps.dft.services import budget_grant
from apps.jobs.bindings import Loaded
from apps.jobs.models import Job
from apps.worker.folders import StageFolder
from apps.worker.registry import BINDINGS
from kappakit import run
from kappakit.engines.doors import RealEngines
from kappakit.testing.run import FakeEngines
from tests.apps.learning import Learning, a_learning, a_protocol
from tests.apps.rows import a_member

pytestmark = pytest.mark.django_db

REAL = ("start_set", "train_committee", "uncertainty", "dft_labels", "calculate", "final_fit")


class HalfRealEngines(FakeEngines):
    """Trainer and committee are Allegro's own; only the reference potential and DFT are analytic."""

    committee = RealEngines.committee


@pytest.fixture
def learned(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Learning:
    """A campaign of two candidates that learned once, by an automatic grant."""
    settings.ARTIFACTS = tmp_path / "artifacts"
    monkeypatch.chdir(tmp_path)  # a stage goes to its own folder

    def stage(job: Job, loaded: Loaded) -> tuple[Any, dict[str, int]]:
        folder = StageFolder(tmp_path / "stages", job.pk, job.attempt)
        folder.prepare(job.kind, loaded, threads=1)
        assert run.main(folder.path, HalfRealEngines) == run.EXIT_DONE, folder.failure()
        outputs = folder.outputs(job.kind)
        files = BINDINGS[job.kind].files(outputs)
        return outputs, {kind: artifacts.store(folder.file(path), kind=kind).pk for kind, path in files.items()}

    protocol = a_protocol(size=2, epochs=3, warm_epochs=2, threshold=0.0, max_iterations=1, label="auto")
    learning = a_learning(tmp_path, count=2, protocol=protocol)
    learning.real = dict.fromkeys(REAL, stage)
    approver = a_member(learning.campaign, "approver", name="approver")
    budget_grant(campaign=learning.campaign, core_hours=1e6, user=approver, automatic=True)
    learning.go()
    return learning


def test_a_committee_learns_from_what_it_asked_and_leaves_a_potential(learned: Learning) -> None:
    assert learned.campaign.state == CampaignState.DONE, learned.campaign.halt_reason
    first, second = committees_of(learned.campaign)
    assert (first.labels, second.labels) == (0, 2)
    assert first.worst is not None
    assert "iterations with labels are used up" in second.stopped
    start, test = (LabelSet.objects.get(kind=kind) for kind in ("start", "test"))
    assert (start.frames, test.frames) == (7, 1)  # 15 % of eight distinct crystals, rounded
    assert not set(start.groups) & set(test.groups)
    _uncertainties_are_the_members_own(first)
    _members_started_from_their_own_weights()
    _labels_stand_on_the_test_set_s_zero()


def _uncertainties_are_the_members_own(committee: Committee) -> None:
    for record in committee.records.all():
        assert len(record.energies) == 2
        assert record.energy_std == pytest.approx(1000 * np.std(record.energies, ddof=1), rel=1e-9)
    assert committee.highest == max(row.energy_std for row in committee.records.all())
    assert len(committee.calibration["spread_energy"]) == 1


def _members_started_from_their_own_weights() -> None:
    for member in Member.objects.filter(committee__iteration=1):
        initial = member.model.card["initial"]
        assert member.warm_from.model.sha256 in str(initial)
        assert member.model.card["data"]["held_out"] == member.held_out


def _labels_stand_on_the_test_set_s_zero() -> None:
    """The simulated labels are the start set's own potential: the offset between the two methods is 0 eV/atom."""
    card = FinalFit.objects.get().model.card
    (outcome, _) = DftOutcome.objects.order_by("pk")
    assert card["data"]["labels"] == 2
    assert card["data"]["offsets"][outcome.method_sha256]["shift"] == pytest.approx(0.0, abs=1e-6)
