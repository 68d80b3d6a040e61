"""Import to stability: what each step takes, what it leaves on the rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from apps.core.errors import ApplicationError
from apps.structures.models import (
    Candidate,
    DuplicateMatch,
    NoveltyLevel,
    Outcome,
    Refusal,
    Relaxation,
    SymmetryReport,
)
from apps.structures.selectors import funnel
from apps.structures.services import candidate_exclude, duplicate_mark, import_file_add, reference_crystals_seed
from apps.structures.stages import deduplicate, generate, import_structures, novelty, relax, screen, stability
from kappakit.ports import GeneratorRef
from kappakit.protocol import PROTOCOLS, GenerateSettings, RelaxSettings, SampleSettings
from kappakit.stages import contracts as c
from tests.apps import outputs
from tests.apps.driving import step_begun, step_through
from tests.apps.outputs import boron_nitride, diamond
from tests.apps.rows import a_campaign, a_model, a_user

pytestmark = pytest.mark.django_db

PROTOCOL = replace(
    PROTOCOLS["smoke"],
    source="import",
    generate=GenerateSettings(count=5, batch=2),
    relax=RelaxSettings(batch=2),
    sample=SampleSettings(count=2, references="diamond lonsdaleite nowhere-carbon"),
)
CRYSTALS = [diamond(1 + n / 100) for n in range(1, 4)]


@pytest.fixture
def campaign(settings, tmp_path: Path):
    settings.ARTIFACTS = tmp_path / "artifacts"
    a_model(species=["C"])
    return a_campaign(a_user("owner"), protocol=PROTOCOL, seed=3)


@pytest.fixture
def given(campaign, tmp_path: Path):
    path = tmp_path / "given.extxyz"
    path.write_text("crystals")
    return import_file_add(campaign=campaign, file_name=path.name, content=path, user=campaign.owner)


@pytest.fixture
def pool(campaign, given):
    """Three imported crystals."""
    step_through(campaign, import_structures.BINDING, lambda _: outputs.imported(*CRYSTALS))
    return list(Candidate.objects.filter(campaign=campaign).order_by("index"))


@pytest.fixture
def relaxed(campaign, pool):
    step_through(campaign, relax.BINDING, outputs.relaxes)
    return list(Candidate.objects.filter(campaign=campaign).order_by("index"))


# --- import


def test_each_file_is_one_job_that_sees_it_under_its_name(campaign, given):
    _, (job,) = step_begun(campaign, import_structures.BINDING)
    loaded = import_structures.BINDING.load(job)
    ((name, path),) = loaded.inputs.files
    assert name == "given.extxyz"
    assert Path(loaded.files[path]).read_text() == "crystals"


def test_crystals_become_candidates_in_order_and_refusals_keep_their_reason(campaign, given):
    refusal = c.Refusal("given.extxyz#2", "not-finite", "a position is not a number")
    made = outputs.imported(*CRYSTALS, refusals=[refusal])
    touched, report = step_through(campaign, import_structures.BINDING, lambda _: made)
    rows = Candidate.objects.order_by("index")
    assert [row.source for row in rows] == ["given.extxyz#1", "given.extxyz#2", "given.extxyz#3"]
    assert [row.index for row in rows] == [1, 2, 3]
    assert touched == {row.pk for row in rows}
    assert report == {"kept": 3, "dropped": 1}
    assert Refusal.objects.get().detail == "a position is not a number"
    given.refresh_from_db()
    assert (given.taken, given.refused) == (3, 1)


def test_the_reference_crystals_that_the_protocol_names_join(campaign, given):
    reference_crystals_seed()
    step_through(campaign, import_structures.BINDING, lambda _: outputs.imported(*CRYSTALS))
    assert list(Candidate.objects.filter(origin="reference").values_list("label", flat=True)) == [
        "diamond",
        "lonsdaleite",
    ]


def test_references_of_other_elements_stay_away(campaign, given):
    reference_crystals_seed()
    campaign.potential.species.clear()
    campaign.potential.save()
    step_through(campaign, import_structures.BINDING, lambda _: outputs.imported(boron_nitride()))
    assert Candidate.objects.get().start.formula == "BN"


def test_what_the_potential_does_not_know_is_rejected_at_once(campaign, given):
    step_through(campaign, import_structures.BINDING, lambda _: outputs.imported(diamond(), boron_nitride()))
    out = Candidate.objects.get(outcome=Outcome.REJECTED)
    assert (out.outcome_reason, "B, N" in out.outcome_detail) == ("unknown-element", True)


def test_saving_twice_makes_no_second_candidate(campaign, given):
    _, (job,) = step_begun(campaign, import_structures.BINDING)
    import_structures.BINDING.save(job, outputs.imported(*CRYSTALS), {})
    assert import_structures.BINDING.save(job, outputs.imported(*CRYSTALS), {}) == set()
    assert Candidate.objects.count() == 3


def test_a_file_whose_job_failed_is_a_refusal(campaign, given):
    _, (job,) = step_begun(campaign, import_structures.BINDING)
    import_structures.BINDING.failed(job, "killed")
    assert (Refusal.objects.get().source, Refusal.objects.get().reason) == ("given.extxyz", "failed")


# --- generate


def generated(loaded) -> c.GenerateOutputs:
    numbers = range(loaded.inputs.start, loaded.inputs.start + loaded.inputs.count)
    made = tuple(c.GeneratedItem(n, 1000 + n, diamond(1.2 + n / 100)) for n in numbers if n != 3)
    lost = tuple(c.Refusal(f"search#{n}", "no-crystal-found", "none") for n in numbers if n == 3)
    return c.GenerateOutputs("search", "1", "", made, lost)


def test_the_sequence_is_made_in_batches_from_the_campaign_s_seed(campaign):
    _, jobs = step_begun(campaign, generate.BINDING)
    inputs = [generate.BINDING.load(job).inputs for job in jobs]
    assert [(i.seed, i.start, i.count) for i in inputs] == [(3, 0, 2), (3, 2, 2), (3, 4, 1)]
    assert {i.generator for i in inputs} == {GeneratorRef("search", "search")}
    assert {job.queue for job in jobs} == {"light"}


def test_generated_candidates_keep_seed_and_generator(campaign):
    _, report = step_through(campaign, generate.BINDING, generated)
    assert report == {"kept": 4, "dropped": 1}
    row = Candidate.objects.get(source="search#4")
    assert (row.seed, row.generator, row.origin) == (1004, "search 1", "generated")


# --- relax


def test_candidates_and_references_are_relaxed_in_batches(campaign, given):
    reference_crystals_seed()
    step_through(campaign, import_structures.BINDING, lambda _: outputs.imported(*CRYSTALS))
    _, jobs = step_begun(campaign, relax.BINDING)
    units = [unit for job in jobs for unit in job.units]
    assert len(units) == len(set(units)) > len(CRYSTALS) + 2
    assert max(len(job.units) for job in jobs) == 2
    loaded = relax.BINDING.load(jobs[0])
    assert [item.id for item in loaded.inputs.items] == sorted(jobs[0].units, key=int)
    assert loaded.inputs.potential.name == campaign.potential.name


def test_relaxed_candidates_know_their_relaxation(campaign, relaxed):
    for candidate in relaxed:
        assert candidate.outcome == Outcome.PENDING
        assert candidate.relaxed == candidate.relaxation.end
        assert candidate.relaxation.start == candidate.start
    row = relaxed[0].relaxation
    assert row.max_stress == pytest.approx(1e-4 * 160.21766208)
    assert row.deviation_lengths == [0.01, 0.01, 0.01]


def test_what_leaves_the_potential_s_trust_is_rejected_with_the_reason(campaign, pool):
    out = str(pool[1].start_id)
    _, report = step_through(campaign, relax.BINDING, partial(outputs.relaxes, rejected=[out]))
    assert report == {"kept": 2, "dropped": 1}
    candidate = Candidate.objects.get(pk=pool[1].pk)
    assert (candidate.outcome, candidate.outcome_reason) == (Outcome.REJECTED, "volume")
    assert candidate.relaxation.rejected_detail == "flew apart"
    assert funnel(campaign).rejected_by_reason == {"volume": 1}


def test_a_geometry_that_the_potential_relaxed_before_is_linked_and_not_computed_again(campaign, relaxed, tmp_path):
    second = a_campaign(campaign.owner, "second", protocol=PROTOCOL)
    path = tmp_path / "again.extxyz"
    path.write_text("again")
    import_file_add(campaign=second, file_name=path.name, content=path, user=second.owner)
    step_through(second, import_structures.BINDING, lambda _: outputs.imported(*CRYSTALS, diamond(1.5)))
    seen: list[str] = []

    def stage(loaded):
        seen.extend(item.id for item in loaded.inputs.items)
        return outputs.relaxes(loaded)

    touched, report = step_through(second, relax.BINDING, stage)
    assert (len(seen), report["kept"], len(touched)) == (1, 4, 4)
    assert Relaxation.objects.count() == 4


def test_other_settings_make_another_relaxation_and_another_batch_size_does_not(campaign):
    other = a_campaign(campaign.owner, "b", protocol=replace(PROTOCOL, relax=RelaxSettings(batch=9)))
    third = a_campaign(campaign.owner, "c", protocol=replace(PROTOCOL, relax=RelaxSettings(pressure=10.0)))
    assert relax.relax_digest(campaign) == relax.relax_digest(other) != relax.relax_digest(third)


def test_a_batch_that_failed_is_out_and_a_retry_takes_it_back(campaign, pool):
    _, jobs = step_begun(campaign, relax.BINDING)
    touched = relax.BINDING.failed(jobs[0], "segfault")
    assert Candidate.objects.filter(outcome_reason="failed").count() == len(touched) == len(jobs[0].units)
    relax.BINDING.save(jobs[0], outputs.relaxes(relax.BINDING.load(jobs[0])), {})
    assert not Candidate.objects.filter(outcome=Outcome.REJECTED).exists()


def test_a_campaign_without_a_crystal_says_where_they_went(campaign):
    with pytest.raises(ApplicationError, match="No crystal came in"):
        step_begun(campaign, relax.BINDING)


# --- deduplicate


def first_two_are_the_same(loaded) -> c.DeduplicateOutputs:
    first, second, *others = [item.id for item in loaded.inputs.items]
    match = c.Match(first, second, 0.01, None, 3.0, "one-way")
    return c.DeduplicateOutputs((first, *others), (match,))


def test_a_duplicate_keeps_its_evidence(campaign, relaxed):
    _, report = step_through(campaign, deduplicate.BINDING, first_two_are_the_same)
    assert report == {"kept": 2, "dropped": 1}
    match = DuplicateMatch.objects.get()
    assert (match.representative, match.duplicate) == (relaxed[0], relaxed[1])
    assert (match.rms_forward, match.rms_backward, match.conflict) == (0.01, None, "one-way")
    assert match.duplicate.outcome == Outcome.DUPLICATE
    counts = funnel(campaign)
    assert (counts.relaxed, counts.unique, counts.duplicates, counts.conflicts) == (3, 2, 1, 1)


def test_the_whole_pool_is_one_job_that_cannot_be_split(campaign, relaxed):
    _, (job,) = step_begun(campaign, deduplicate.BINDING)
    assert len(job.units) == 1
    items = deduplicate.BINDING.load(job).inputs.items
    assert {item.id: item.energy_per_atom for item in items} == {
        str(row.pk): row.relaxation.energy_per_atom for row in relaxed
    }


def test_excluded_ones_and_duplicates_by_hand_are_not_compared(campaign, relaxed):
    owner = campaign.owner
    candidate_exclude(candidate=relaxed[0], user=a_user("root", is_superuser=True), reason="explosive")
    duplicate_mark(
        candidate=relaxed[2], representative=relaxed[1], user=a_user("root2", is_superuser=True), reason="same"
    )
    assert owner.is_active
    _, (job,) = step_begun(campaign, deduplicate.BINDING)
    assert [item.id for item in deduplicate.BINDING.load(job).inputs.items] == [str(relaxed[1].pk)]


def test_what_a_curator_decides_while_the_job_runs_stays(campaign, relaxed):
    _, (job,) = step_begun(campaign, deduplicate.BINDING)
    made = first_two_are_the_same(deduplicate.BINDING.load(job))
    root = a_user("root", is_superuser=True)
    duplicate_mark(candidate=relaxed[1], representative=relaxed[2], user=root, reason="same")
    deduplicate.BINDING.save(job, made, {})
    assert DuplicateMatch.objects.get(undone_at__isnull=True).marked_by == root


# --- novelty, screen, stability


def test_references_are_those_that_the_same_potential_relaxed(campaign, given):
    reference_crystals_seed()
    step_through(campaign, import_structures.BINDING, lambda _: outputs.imported(*CRYSTALS))
    step_through(campaign, relax.BINDING, outputs.relaxes)
    step_through(campaign, deduplicate.BINDING, outputs.all_unique)
    _, jobs = step_begun(campaign, novelty.BINDING)
    references = {item.name: item for item in novelty.BINDING.load(jobs[0]).inputs.references}
    assert references["diamond"].kappa_known
    assert not any("B" in item.crystal.composition for item in references.values())

    def known(loaded):
        ids = [item.id for item in loaded.inputs.items]
        return c.NoveltyOutputs(
            (c.NoveltyVerdict(ids[0], "kappa-known", "diamond", 0.02), *(c.NoveltyVerdict(i, "new") for i in ids[1:]))
        )

    novelty.BINDING.save(jobs[0], known(novelty.BINDING.load(jobs[0])), {})
    row = Candidate.objects.exclude(known_as=None).get()
    assert (row.known_as.name, row.novelty, row.novelty_rms) == ("diamond", NoveltyLevel.KAPPA_KNOWN, 0.02)


def test_simple_symmetric_crystals_are_kept_and_the_others_say_why_not(campaign, relaxed):
    def stage(loaded):
        first, second, third = loaded.inputs.items
        missed = outputs.facts(second, passes=False, reason="2 operations, at least 4 are wanted")
        return c.ScreenOutputs((outputs.facts(first), missed), (c.Refusal(third.id, "no-symmetry", "none found"),))

    touched, report = step_through(campaign, screen.BINDING, stage)
    kept, missed, refused = Candidate.objects.order_by("index")
    assert report == {"kept": 1, "dropped": 2}
    assert (kept.outcome, kept.symmetry.symbol, kept.symmetry.structure) == (Outcome.KEPT, "Fd-3m", kept.relaxed)
    assert (missed.outcome, missed.outcome_reason) == (Outcome.SCREENED_OUT, "screen")
    assert missed.symmetry is not None
    assert "operations" in missed.outcome_detail
    assert (refused.outcome, refused.outcome_reason, refused.symmetry) == (Outcome.SCREENED_OUT, "no-symmetry", None)
    assert touched == {kept.pk, missed.pk, refused.pk}


def test_symmetry_of_the_same_geometry_is_stored_once(campaign, relaxed):
    step_through(campaign, screen.BINDING, outputs.all_pass)
    second = a_campaign(campaign.owner, "second", protocol=PROTOCOL)
    for row in relaxed:
        Candidate.objects.create(
            campaign=second, index=row.index, origin=row.origin, source=row.source, start=row.start,
            relaxation=row.relaxation, relaxed=row.relaxed,
        )  # fmt: skip
    step_through(second, screen.BINDING, outputs.all_pass)
    assert SymmetryReport.objects.count() == len(relaxed)


def test_a_crystal_without_a_hull_keeps_the_note(campaign, relaxed):
    def stage(loaded):
        first, *others = loaded.inputs.items
        return c.StabilityOutputs(
            (c.HullEnergy(first.id, None, "no reference of N"), *(c.HullEnergy(o.id, 0.25) for o in others)), ()
        )

    _, report = step_through(campaign, stability.BINDING, stage)
    first, second, _ = Candidate.objects.order_by("index")
    assert report == {"kept": 2, "dropped": 1}
    assert (first.above_hull, first.hull_note, second.above_hull) == (None, "no reference of N", 0.25)


def test_the_funnel_tells_where_everything_went(campaign, relaxed):
    step_through(campaign, deduplicate.BINDING, first_two_are_the_same)
    step_through(campaign, novelty.BINDING, outputs.all_new)
    step_through(campaign, screen.BINDING, outputs.all_pass)
    step_through(campaign, stability.BINDING, outputs.flat_hull)
    counts = funnel(campaign)
    assert (counts.total, counts.imported, counts.relaxed, counts.unique, counts.kept) == (3, 3, 3, 2, 2)
    assert counts.novelty == {"new": 2}
