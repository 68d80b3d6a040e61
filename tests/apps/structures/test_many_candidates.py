"""Ten thousand candidates: as many queries as for a few thousand fewer, and no minutes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db.models import F

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate, Origin, Outcome
from apps.structures.selectors import funnel, relaxed_pool
from apps.structures.services import Newcomer, candidates_add, rows_set
from apps.structures.stages import deduplicate, relax, screen, stability
from kappakit.protocol import PROTOCOLS, RelaxSettings
from kappakit.stages import contracts as c
from tests.apps import outputs
from tests.apps.driving import step_begun
from tests.apps.outputs import diamond
from tests.apps.rows import a_campaign, a_user

pytestmark = pytest.mark.django_db

MANY = 10_000
PROTOCOL = replace(PROTOCOLS["smoke"], relax=RelaxSettings(batch=256))


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner"), protocol=PROTOCOL)


def newcomers(count: int) -> list[Newcomer]:
    return [Newcomer(diamond(1 + n * 1e-5), f"given.extxyz#{n}") for n in range(count)]


def test_ten_thousand_crystals_come_in_and_are_judged_by_few_queries(campaign, django_assert_max_num_queries):
    with django_assert_max_num_queries(45):
        ids = candidates_add(campaign, Origin.IMPORTED, newcomers(MANY))
    assert len(ids) == MANY
    assert Candidate.objects.filter(campaign=campaign).values_list("index", flat=True).order_by("-index")[0] == MANY

    relax_a_batch(campaign, django_assert_max_num_queries)
    Candidate.objects.filter(campaign=campaign).update(relaxed_id=F("start_id"))
    assert relaxed_pool(campaign).count() == MANY
    deduplicate_all(campaign, sorted(ids), django_assert_max_num_queries)
    judge_all(campaign, sorted(ids), django_assert_max_num_queries)
    with django_assert_max_num_queries(5):
        assert funnel(campaign).total == MANY


def relax_a_batch(campaign, at_most) -> None:
    _, jobs = step_begun(campaign, relax.BINDING)
    with at_most(5):
        loaded = relax.BINDING.load(jobs[0])
    made = outputs.relaxes(loaded)
    with at_most(12):
        touched = relax.BINDING.save(jobs[0], made, {})
    assert len(touched) == len(jobs[0].units) == 256
    screen_a_batch(campaign, sorted(touched), at_most)


def screen_a_batch(campaign, ids, at_most) -> None:
    _, jobs = step_begun(campaign, screen.BINDING)
    with at_most(6):
        loaded = screen.BINDING.load(jobs[0])
    made = c.ScreenOutputs(
        tuple(outputs.facts(item, passes=n % 2 == 0, reason="too big") for n, item in enumerate(loaded.inputs.items)),
        (),
    )
    with at_most(14):
        assert screen.BINDING.save(jobs[0], made, {}) == set(ids)
    Candidate.objects.filter(pk__in=ids).update(outcome=Outcome.PENDING)


def deduplicate_all(campaign, ids, at_most) -> None:
    _, (job,) = step_begun(campaign, deduplicate.BINDING)
    matches = tuple(c.Match(str(ids[0]), str(pk), 0.01, 0.01, 0.0) for pk in ids[1::2])
    with at_most(14):
        deduplicate.BINDING.save(job, c.DeduplicateOutputs((), matches), {})
    assert Candidate.objects.filter(outcome=Outcome.DUPLICATE).count() == MANY // 2


def judge_all(campaign, ids, at_most) -> None:
    _, (job,) = step_begun(campaign, stability.BINDING)
    energies = tuple(c.HullEnergy(str(pk), rank / MANY) for rank, pk in enumerate(ids))
    with at_most(2):
        stability.BINDING.save(job, c.StabilityOutputs(energies, ()), {})
    assert Candidate.objects.get(pk=ids[-1]).above_hull == pytest.approx(1.0, abs=1e-3)


def test_rows_get_values_of_their_own_also_empty_ones(campaign):
    ids = sorted(candidates_add(campaign, Origin.IMPORTED, newcomers(3)))
    assert rows_set(Candidate, ids, above_hull=[0.1, None, 0.3], hull_note=["a", "", "b"]) == 3
    assert list(Candidate.objects.order_by("index").values_list("above_hull", "hull_note")) == [
        (0.1, "a"),
        (None, ""),
        (0.3, "b"),
    ]
    assert rows_set(Candidate, [], above_hull=[]) == 0
