"""The neighbours of good ones, and κ_L from force sets that somebody brought."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign, Step
from apps.conductivity import services
from apps.conductivity.models import PlanState
from apps.conductivity.selectors import phonons_of_job, plans_for
from apps.conductivity.services.neighbours import MapMissing
from apps.core.errors import Conflict
from apps.jobs.models import Job
from apps.maps.models import Selection
from apps.maps.services import map_record
from apps.structures.models import Candidate
from kappakit.stages import contracts as c
from tests.apps.kappa_steps import NAMED, a_step, conductivity_outputs, jobs_of, plan_item, reported
from tests.apps.rows import a_campaign, a_candidate, a_result, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings: Any) -> None:
    settings.ARTIFACTS = tmp_path / "artifacts"


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner"))


@pytest.fixture
def candidates(campaign: Campaign) -> list[Candidate]:
    return [a_candidate(campaign, index) for index in range(4)]


def a_map(campaign: Campaign, candidates: list[Candidate]) -> None:
    places = np.array([[float(i), 0.0] for i in range(len(candidates))])
    ids = [x.pk for x in candidates]
    map_record(
        campaign=campaign, ids=ids, descriptors=places, plane=places, settings={"seed": 0}, perplexity=1.0, notes=[]
    )


def test_neighbours_of_ultrahigh_crystals_are_searched_without_those_that_are_planned(campaign, candidates) -> None:
    a_map(campaign, candidates)
    a_result(candidates[0], 2000.0)
    a_result(candidates[1], 100.0)
    step = a_step(campaign, "neighbours", candidates[:1], sweep=1)
    (job,) = jobs_of(step)
    inputs = NAMED["neighbours"].load(job).inputs
    assert inputs.centres == (str(candidates[0].pk),)
    assert set(inputs.exclude) == {str(candidates[0].pk), str(candidates[1].pk)}
    near = c.Neighbour(str(candidates[0].pk), str(candidates[2].pk), 1, 2.0)
    NAMED["neighbours"].save(job, c.NeighboursOutputs((near,), (str(candidates[2].pk),)), {})
    selection = Selection.objects.get()
    assert reported(step) == {"selection_id": selection.pk, "candidates": (candidates[2].pk,)}
    member = selection.members.get()
    assert (member.centre, member.how, member.distance) == (candidates[0], "knn", 2.0)


def test_a_sweep_without_an_ultrahigh_crystal_ends_with_an_empty_selection_and_a_note(campaign, candidates) -> None:
    a_map(campaign, candidates)
    step = a_step(campaign, "neighbours", [], sweep=1)
    (job,) = jobs_of(step)
    NAMED["neighbours"].save(job, c.NeighboursOutputs((), ()), {})
    assert reported(step)["candidates"] == ()
    assert Selection.objects.get().notes == [
        "No crystal conducts more than 800 W/(m·K): there is nothing to search around."
    ]


def test_neighbours_are_searched_again_at_a_persons_wish_and_wait_for_a_start(campaign, candidates) -> None:
    with pytest.raises(Conflict):
        services.neighbours_search_again(campaign=campaign, user=campaign.owner)
    a_result(candidates[0], 2000.0)
    with pytest.raises(MapMissing):
        services.neighbours_search_again(campaign=campaign, user=campaign.owner)
    a_map(campaign, candidates)
    job = services.neighbours_search_again(campaign=campaign, user=campaign.owner)
    near = c.Neighbour(str(candidates[0].pk), str(candidates[3].pk), 1, 3.0)
    NAMED["neighbours"].save(job, c.NeighboursOutputs((near,), (str(candidates[3].pk),)), {})
    planned = Job.objects.get(kind="kappa_plan")
    assert planned.units == [str(candidates[3].pk)]
    NAMED["kappa_plan"].save(planned, c.KappaPlanOutputs((plan_item(candidates[3]),), ()), {})
    assert plans_for(campaign, [candidates[3].pk]).get().state == PlanState.PLANNED
    assert not Step.objects.exists()


def test_force_sets_give_a_tensor_without_a_campaign(tmp_path: Path) -> None:
    files = {
        name: artifacts.store_bytes(name.encode(), kind="force-sets", name=name).pk
        for name in ("phono3py_disp.yaml", "FORCES_FC3.xz")
    }
    ask = {"name": "Si-PBEsol", "files": files, "mesh": (11, 11, 11), "temperatures": (300.0, 100.0)}
    job = services.force_sets_submit(**ask, lbte=True)
    assert services.force_sets_submit(**ask, lbte=True) == job
    assert services.force_sets_submit(**ask) != job
    loaded = NAMED["force_sets"].load(job)
    assert set(loaded.files) == {"given/phono3py_disp.yaml", "given/FORCES_FC3.xz"}
    assert Path(loaded.files["given/FORCES_FC3.xz"]).read_bytes() == b"FORCES_FC3.xz"
    assert (loaded.inputs.folder, loaded.inputs.lbte, loaded.settings) == ("given", True, {"temperature": 300.0})
    assert phonons_of_job(job) is None
    NAMED["force_sets"].save(job, conductivity_outputs(109.0), {})
    phonons = phonons_of_job(job)
    assert phonons is not None
    (tensor,) = phonons.tensors.all()
    assert (phonons.source, tensor.largest, tensor.candidate) == ("force sets: Si-PBEsol", 109.0, None)
    assert tensor.label[0] == "force sets: Si-PBEsol"
    assert not any(word.startswith(("symmetry", "supercell")) for word in tensor.label)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mesh": (11, 11)},
        {"mesh": (0, 1, 1)},
        {"mesh": (11, 11, 201)},
        {"mesh": (11, 11, 10.5)},
        {"mesh": ()},
        {"mesh": (0,)},
        {"mesh": (1e4,)},
        {"mesh": (float("nan"),)},
        {"temperatures": ()},
        {"temperatures": (-5.0,)},
        {"files": {"phono3py.yaml": 1, "virus.exe": 2}},
        {"files": {"FORCES_FC3": 1}},
    ],
)
def test_force_sets_that_cannot_be_a_calculation_are_refused(wrong: dict[str, Any]) -> None:
    ask = {"name": "x", "files": {"phono3py.yaml": 1, "FORCES_FC3": 2}, "mesh": (1, 1, 1), "temperatures": (300.0,)}
    with pytest.raises(services.ForceSetsRefused):
        services.force_sets_submit(**(ask | wrong))
    assert not Job.objects.exists()


def test_a_refused_mesh_says_what_it_may_be() -> None:
    ask = {"name": "x", "files": {"phono3py.yaml": 1, "FORCES_FC3": 2}, "temperatures": (300.0,)}
    for mesh, words in (
        ((0.0,), "A mesh length is between 1 and 200 Å, e.g. 25; 0 is not."),
        ((1e4,), "A mesh length is between 1 and 200 Å, e.g. 25; 10000 is not."),
        ((11, 0, 11), "The mesh is three whole numbers from 1 to 200, e.g. 11 11 11; 11 0 11 is not."),
        ((11, 11), "The mesh is three whole numbers, e.g. 11 11 11, or one length in Å."),
    ):
        with pytest.raises(services.ForceSetsRefused) as refused:
            services.force_sets_submit(**ask, mesh=mesh)
        assert refused.value.message == words


@pytest.mark.parametrize(("length", "longest"), [(25.0, 60.0), (15.0, 60.0), (100.0, 100.0)])
def test_force_sets_on_a_mesh_length_are_computed_up_to_it_and_judged_by_it(length: float, longest: float) -> None:
    files = {
        name: artifacts.store_bytes(name.encode(), kind="force-sets", name=name).pk
        for name in ("phono3py_disp.yaml", "FORCES_FC3.xz")
    }
    job = services.force_sets_submit(name="Si", files=files, mesh=(length,), temperatures=(300.0,))
    loaded = NAMED["force_sets"].load(job)
    assert loaded.inputs.mesh == (length,)
    assert loaded.settings == {"temperature": 300.0, "mesh_length": length, "max_mesh_length": longest}
