"""From a trained generator's crystals to the figures of a campaign: what each step takes and leaves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from apps.campaigns.services import NotReady, campaign_clone, campaign_start
from apps.core.errors import ApplicationError, NotAllowed
from apps.structures.models import Candidate, DuplicateMatch, Generation, GenerationReport, Outcome
from apps.structures.selectors import funnel, latent_vector
from apps.structures.selectors.generation_curves import generation_curves, generation_deviations, latent_map
from apps.structures.services import LikenessRefused, campaign_like
from apps.structures.stages import (
    deduplicate,
    generate,
    generation_report,
    relax,
    screen,
    thin,
    training_crystals,
    training_novelty,
)
from kappakit.protocol import GENERATIONS, PROTOCOLS, Protocol, SampleSettings
from kappakit.stages import contracts as c
from tests.apps import outputs
from tests.apps.driving import step_begun, step_through
from tests.apps.outputs import diamond
from tests.apps.rows import a_campaign, a_model, a_user, may_create

pytestmark = pytest.mark.django_db

PROTOCOL = replace(
    PROTOCOLS["smoke"],
    source="generate",
    generate=replace(GENERATIONS["simple"], count=6, batch=4, report_count=3, with_training=True),
    sample=SampleSettings(count=2, references=""),
)
FIGURES = c.GenerationFigures(3, 1.0, 0.5, 0.9, 0.8, 0.1)


@pytest.fixture
def campaign(settings, tmp_path):
    settings.ARTIFACTS = tmp_path / "artifacts"
    a_model(species=["C"])
    generator = a_model("carbon-cdvae", kind="generator", engine="cdvae", sha256="cd" * 32, species=["C"])
    owner = a_user("owner")
    may_create(owner)
    return a_campaign(owner, protocol=PROTOCOL, seed=3, generator=generator)


def made(loaded) -> c.GenerateOutputs:
    """Number 5 is refused; each latent vector says its number."""
    numbers = range(loaded.inputs.start, loaded.inputs.start + loaded.inputs.count)
    items = tuple(
        c.GeneratedItem(n, 70 + n, diamond(1.2 + n / 100), np.full(4, n, np.float32), 1.0 + n / 10, "Fd-3m" * (n == 1))
        for n in numbers
        if n != 5
    )
    lost = tuple(c.Refusal(f"carbon-cdvae#{n}", "too-close", "0.9 Å") for n in numbers if n == 5)
    return c.GenerateOutputs("carbon-cdvae", "cdvae 1", "cd" * 32, items, lost)


def doubled(first: int, other: int, loaded) -> c.DeduplicateOutputs:
    """Item `other` is a duplicate of item `first`."""
    ids = [item.id for item in loaded.inputs.items]
    match = c.Match(ids[first], ids[other], 0.01, 0.01, None)
    return c.DeduplicateOutputs(tuple(i for i in ids if i != ids[other]), (match,))


def first_is_known(loaded) -> c.TrainingNoveltyOutputs:
    verdicts = [c.TrainingVerdict(item.id) for item in loaded.inputs.items]
    verdicts[0] = c.TrainingVerdict(verdicts[0].id, "crystal 7", 0.02)
    return c.TrainingNoveltyOutputs(tuple(verdicts))


def reported(loaded) -> c.GenerationReportOutputs:
    ids = tuple(item.id for item in loaded.inputs.items)
    return c.GenerationReportOutputs(FIGURES, ids, ("crystal 7",), np.arange(8.0).reshape(4, 2), ("a note",))


@pytest.fixture
def generated(campaign):
    step_through(campaign, generate.BINDING, made)
    return list(Candidate.objects.order_by("index"))


@pytest.fixture
def searched(campaign, generated):
    """Six asked for: one refused, one thinned, one duplicate; of three distinct ones one is known, two are kept."""
    step_through(campaign, thin.BINDING, partial(doubled, 0, 1))
    step_through(campaign, relax.BINDING, outputs.relaxes)
    step_through(campaign, deduplicate.BINDING, partial(doubled, 2, 0))
    step_through(campaign, training_novelty.BINDING, first_is_known)
    step_through(campaign, screen.BINDING, outputs.all_pass)
    return campaign


def test_a_job_gets_the_generator_and_its_files(campaign):
    _, jobs = step_begun(campaign, generate.BINDING)
    loaded = generate.BINDING.load(jobs[1])
    assert (loaded.inputs.start, loaded.inputs.count) == (4, 2)
    assert (loaded.inputs.generator.name, loaded.inputs.generator.sha256) == ("carbon-cdvae", "cd" * 32)
    assert loaded.inputs.generator.folder == "generator"
    assert {job.queue for job in jobs} == {"heavy"}


def test_every_crystal_remembers_latent_vector_seed_and_model(campaign, generated):
    row = Candidate.objects.get(source="carbon-cdvae#1")
    assert (row.seed, row.generation.model) == (71, campaign.generator)
    assert latent_vector(row.generation.latent).tolist() == [1.0] * 4
    assert (row.generation.consistency, row.generation.symmetrised) == (1.1, "Fd-3m")


def test_the_same_batch_saved_twice_adds_nothing(campaign, generated):
    _, jobs = step_begun(campaign, generate.BINDING)
    generate.BINDING.save(jobs[0], made(generate.BINDING.load(jobs[0])), {})
    assert Candidate.objects.count() == Generation.objects.count() == 5


def test_training_crystals_join_under_their_own_origin(campaign):
    step_through(campaign, training_crystals.BINDING, lambda _: outputs.imported(diamond(2.0), name="set"))
    assert funnel(campaign).training == 1
    assert Candidate.objects.get().generator == ""


def test_near_duplicates_are_set_aside_before_relaxation(campaign, generated):
    _, report = step_through(campaign, thin.BINDING, partial(doubled, 0, 1))
    assert report == {"kept": 4, "dropped": 1}
    assert funnel(campaign).thinned == 1
    _, jobs = step_begun(campaign, relax.BINDING)
    aside = DuplicateMatch.objects.get().duplicate
    assert str(aside.start_id) not in [unit for job in jobs for unit in job.units]


def test_a_campaign_that_generated_nothing_goes_on(campaign):
    assert step_begun(campaign, thin.BINDING)[1] == []
    assert step_begun(campaign, generation_report.BINDING)[1] == []


def test_the_report_keeps_figures_notes_and_the_plane(campaign, generated):
    _, report = step_through(campaign, generation_report.BINDING, reported)
    found = GenerationReport.objects.get()
    assert report == {"kept": 3, "dropped": 0}
    assert (found.figures["recall"], found.notes, found.model) == (0.9, ["a note"], campaign.generator)
    plane = latent_map(found)
    assert plane.training == (("crystal 7", 6.0, 7.0),)
    assert [point[1:] for point in plane.candidates] == [(0.0, 1.0), (2.0, 3.0), (4.0, 5.0)]


def test_the_report_measures_evenly_spread_crystals_with_their_latent_vectors(campaign, generated):
    _, (job,) = step_begun(campaign, generation_report.BINDING)
    inputs = generation_report.BINDING.load(job).inputs
    assert [item.id for item in inputs.items] == [str(generated[i].pk) for i in (0, 2, 4)]
    assert inputs.latents[:, 0].tolist() == [0.0, 2.0, 4.0]


def test_curves_count_distinct_novel_and_kept_among_all_that_were_asked_for(searched):
    curves = generation_curves(searched)
    assert (curves.total, curves.refused, curves.relaxed, curves.drawn[-1]) == (6, 1, 5, 6)
    assert (curves.unique[-1], curves.novel[-1], curves.kept[-1]) == (3.0, 2.0, 3.0)
    assert curves.unique[0] == pytest.approx(5 / 6)
    assert curves.novel_known


def test_deviations_are_those_of_relaxed_generated_crystals(searched):
    found = generation_deviations(searched)
    assert (found.crystals, len(found.lengths), found.volume[0]) == (4, 12, pytest.approx(-3.0))


def test_more_like_one_crystal_is_a_draft_about_it(searched):
    chosen = Candidate.objects.filter(outcome=Outcome.KEPT).first()
    draft = campaign_like(candidates=[chosen], name="like", count=20, temperature=0.5, user=searched.owner)
    protocol = Protocol.from_dict(draft.protocol)
    assert (draft.state, draft.generator, protocol.source) == ("DRAFT", searched.generator, "generate")
    assert (protocol.generate.count, protocol.generate.temperature) == (20, 0.5)
    _, jobs = step_begun(draft, generate.BINDING)
    (centre,) = generate.BINDING.load(jobs[0]).inputs.centres
    assert centre.digest == chosen.relaxed.digest
    assert campaign_start(campaign=draft, user=searched.owner).state == "RUNNING"


def test_a_clone_generates_about_the_same_crystals(searched):
    pair = list(Candidate.objects.filter(outcome=Outcome.KEPT)[:2])
    draft = campaign_like(candidates=pair, name="between", count=5, temperature=1.0, user=searched.owner)
    clone = campaign_clone(campaign=draft, user=searched.owner, name="again")
    assert [c.structure_id for c in clone.centres.order_by("order")] == [c.relaxed_id for c in pair]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"count": 0}, "count"), ({"temperature": 11.0}, "temperature"), ({"candidates": []}, "candidates")],
)
def test_likeness_refuses_what_makes_no_sense(searched, changes, field):
    asked = {"candidates": [Candidate.objects.first()], "name": "x", "count": 5, "temperature": 1.0} | changes
    with pytest.raises(LikenessRefused) as refused:
        campaign_like(**asked, user=searched.owner)
    assert field in refused.value.detail


def test_likeness_needs_a_generator_that_knows_the_elements(campaign, generated):
    campaign.generator.species = ["Si"]
    campaign.generator.save()
    with pytest.raises(NotReady, match="No trained generator knows C"):
        campaign_like(candidates=[generated[0]], name="x", count=5, temperature=1.0, user=campaign.owner)


def test_a_stranger_gets_no_campaign_like_another(campaign, generated):
    with pytest.raises((NotAllowed, ApplicationError)):
        campaign_like(candidates=[generated[0]], name="x", count=5, temperature=1.0, user=a_user("stranger"))
    assert type(campaign).objects.count() == 1
