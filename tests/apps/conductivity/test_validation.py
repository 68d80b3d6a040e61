"""A validation by DFT goes from the reviewer's wish over two requests at the gate to its verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from apps.artifacts.services import store_bytes
from apps.conductivity.models import KappaTensor, PhononFile, Validation, ValidationState
from apps.conductivity.services import validation_resume, validations_advance, validations_reconcile
from apps.core.errors import Conflict, NotAllowed, NotThere
from apps.dft.models import Decision, DftRequest
from apps.dft.services import calculation_decide, calculation_retry
from apps.jobs.models import Job, State
from apps.reviews.models import CandidateSummary
from apps.reviews.selectors import candidate_dossier
from apps.reviews.selectors.programs import artifact_visible, jobs_visible
from apps.reviews.services import candidate_validation_request
from kappakit.dft import DftTask
from kappakit.protocol import DftSettings
from kappakit.stages.contracts import CalculateOutputs
from tests.apps.rows import a_member, a_model, a_user
from tests.apps.validating import GAP, PROTOCOL, WIDER, Way, a_way, asked_and_relaxed, compute, ended, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(db: None) -> Way:
    return a_way()


def through(way: Way, folder: Path, part: str = "harmonic", *, stiffness: float = 1.0) -> Validation:
    """All of it, everything approved."""
    found = asked_and_relaxed(way, folder, part)
    way.decide(found.supercell_request)
    compute(found.supercell_request, stiffness=stiffness)
    run_jobs(folder)
    found.refresh_from_db()
    return found


def test_it_is_prepared_first_and_the_first_request_tells_what_both_parts_would_cost(way: Way, tmp_path: Path) -> None:
    found = way.ask()
    assert found.state == ValidationState.PREPARING
    assert DftRequest.objects.count() == 0
    run_jobs(tmp_path)
    found.refresh_from_db()
    assert found.state == ValidationState.RELAXING
    request = found.relax_request
    (row,) = request.calculations.all()
    assert (row.task, row.state, request.purpose) == ("relax", Decision.PROPOSED, "validate")
    assert "harmonic: 1 supercell of 16 atoms" in request.decides
    assert "anharmonic:" in request.decides
    assert "no history" in request.decides
    assert DftTask.from_text(row.inputs).settings.energy_tolerance == PROTOCOL.dft.tight_tolerance


def test_stable_phonons_are_confirmed_and_every_label_of_the_candidate_says_so(way: Way, tmp_path: Path) -> None:
    found = through(way, tmp_path)
    assert (found.state, found.verdict) == (ValidationState.DONE, "confirmed")
    assert found.gap == GAP
    assert found.volume_change == pytest.approx(WIDER**3 - 1.0, abs=1e-3)
    assert found.energy_dft > found.energy_potential
    assert found.lowest > -0.1
    assert 0.01 < found.deviation < 2.0
    assert found.phonons.source == "DFT: gpaw optB88-vdW, 300 eV"
    assert found.phonons.tensors.count() == 0
    labels = list(KappaTensor.objects.filter(candidate=way.candidate).values_list("label", flat=True))
    assert all("DFT confirms stable phonons" in label for label in labels)
    assert "DFT confirms stable phonons" in CandidateSummary.objects.get(candidate=way.candidate).trust_label


def test_imaginary_modes_are_called_so(way: Way, tmp_path: Path) -> None:
    """Forces of the other sign: every mode is imaginary."""
    found = through(way, tmp_path, stiffness=-1.0)
    assert found.verdict == "unstable"
    assert found.lowest < -10.0
    assert "DFT: imaginary modes" in CandidateSummary.objects.get(candidate=way.candidate).trust_label


def test_the_anharmonic_part_takes_the_relaxation_that_is_done_and_ends_with_a_conductivity(
    way: Way, tmp_path: Path
) -> None:
    first = through(way, tmp_path)
    second = through(way, tmp_path, "anharmonic")
    assert second.relax_request == first.relax_request
    assert second.supercell_request.calculations.count() > 1
    assert second.state == ValidationState.DONE
    assert {tensor.method for tensor in second.phonons.tensors.all()} == {"RTA", "LBTE"}
    dossier = candidate_dossier(way.scientist, way.candidate.pk)
    assert [v.part for v in dossier.validations] == ["anharmonic", "harmonic"]
    assert len(dossier.validations[0].tensors) == 2
    assert len(dossier.tensors) == 1


def test_a_denied_relaxation_ends_it_and_says_who_denied_and_why(way: Way, tmp_path: Path) -> None:
    found = way.ask()
    run_jobs(tmp_path)
    found.refresh_from_db()
    way.decide(found.relax_request, "deny", "too dear")
    assert validations_reconcile() == {way.candidate.pk}
    found.refresh_from_db()
    assert found.state == ValidationState.FAILED
    assert "Denied by approver" in found.error
    assert "too dear" in found.error
    with pytest.raises(Conflict, match="Denied by approver"):
        validation_resume(validation=found, user=way.scientist)


def test_a_supercell_that_failed_stops_it_until_it_is_tried_again(way: Way, tmp_path: Path) -> None:
    found = asked_and_relaxed(way, tmp_path)
    way.decide(found.supercell_request)
    (row,) = found.supercell_request.calculations.all()
    ended(row, CalculateOutputs(None, "input", "no such element", 1.0, 1))
    found.refresh_from_db()
    assert found.state == ValidationState.FAILED
    assert "Supercell 1 failed: no such element" in found.error
    row.refresh_from_db()
    calculation_retry(calculation=row, user=way.scientist)
    validation_resume(validation=found, user=way.scientist)
    compute(found.supercell_request)
    run_jobs(tmp_path)
    found.refresh_from_db()
    assert found.verdict == "confirmed"


def test_moving_on_twice_is_moving_on_once(way: Way, tmp_path: Path) -> None:
    found = way.ask()
    run_jobs(tmp_path)
    found.refresh_from_db()
    way.decide(found.relax_request)
    compute(found.relax_request)
    assert validations_advance([found.relax_request_id]) == set()
    assert validations_reconcile() == set()
    assert Job.objects.filter(kind="validation_cells").count() == 2
    run_jobs(tmp_path)
    validations_reconcile()
    assert DftRequest.objects.count() == 2


def test_results_of_two_methods_are_not_put_together(tmp_path: Path) -> None:
    """A crystal with an undisplaced supercell would do; here the anharmonic part, of which one is computed anew."""
    way = a_way()
    found = asked_and_relaxed(way, tmp_path, "anharmonic")
    first, *_ = found.supercell_request.calculations.order_by("order")
    way.decide(found.supercell_request)
    compute(found.supercell_request)
    type(first.outcome).objects.filter(calculation=first).update(method_sha256="00" * 32)
    with pytest.raises(Conflict, match="different methods"):
        run_jobs(tmp_path)


def test_a_cancelled_job_stops_it_and_it_can_be_resumed(way: Way, tmp_path: Path) -> None:
    found = way.ask()
    Job.objects.filter(kind="validation_cells").update(state=State.CANCELLED)
    validations_reconcile()
    found.refresh_from_db()
    assert (found.state, found.error) == (ValidationState.FAILED, "Cancelled.")
    validation_resume(validation=found, user=way.scientist)
    assert run_jobs(tmp_path) == ["validation_cells"]


def test_a_surrogate_is_never_called_dft(tmp_path: Path) -> None:
    a_model("carbon-laptop", sha256="cd" * 32)
    way = a_way(replace(PROTOCOL, dft=DftSettings(engine="surrogate", k_spacing=0.8, spin=False)))
    found = through(way, tmp_path)
    assert found.phonons.source == "surrogate in DFT's place: carbon-laptop"
    label = KappaTensor.objects.filter(candidate=way.candidate).first().label
    assert "surrogate in DFT's place confirms stable phonons" in label
    assert not any(word.startswith("DFT") for word in label)


def test_its_jobs_and_files_are_visible_with_the_campaign(way: Way, tmp_path: Path) -> None:
    found = through(way, tmp_path)
    PhononFile.objects.create(phonons=found.phonons, kind="fc2", artifact=store_bytes(b"fc2", kind="fc2", name="fc2"))
    kinds = set(jobs_visible(way.scientist).values_list("kind", flat=True))
    assert {"validation_cells", "validate"} <= kinds
    sha256 = found.phonons.files.get().artifact.sha256
    assert artifact_visible(way.scientist, sha256)
    stranger = a_user("stranger")
    assert not jobs_visible(stranger).filter(kind="validate").exists()
    with pytest.raises(NotThere):
        artifact_visible(stranger, sha256)


def test_to_ask_takes_the_role_reviewer_and_one_is_enough(way: Way) -> None:
    with pytest.raises(NotAllowed):
        candidate_validation_request(candidate=way.candidate, user=a_member(way.campaign, "viewer"))
    way.ask()
    with pytest.raises(Conflict, match="under way"):
        way.ask()


def test_who_asked_may_not_approve(way: Way, tmp_path: Path) -> None:
    found = way.ask()
    run_jobs(tmp_path)
    found.refresh_from_db()
    (row,) = found.relax_request.calculations.all()
    with pytest.raises((Conflict, NotAllowed)):
        calculation_decide(calculation=row, version=row.version, answer="approve", user=way.scientist)
