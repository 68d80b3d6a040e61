"""The narrow rows that lists read: derived, and equal to a rebuild after anything that may happen."""

from __future__ import annotations

import time

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.campaigns.models import Campaign
from apps.conductivity.models import PlanState
from apps.reviews import services
from apps.reviews.models import CandidateSummary
from apps.reviews.selectors import candidates_list
from apps.reviews.selectors.filters import SORTS
from apps.structures.models import Candidate, Structure
from tests.apps.rows import (
    a_campaign,
    a_candidate,
    a_crystal,
    a_plan,
    a_result,
    a_structure,
    a_tensor,
    a_user,
    structure_row,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 8


def all_rows() -> list[dict]:
    return list(CandidateSummary.objects.order_by("pk").values())


def test_summaries_equal_a_rebuild_after_everything_that_people_and_machines_do() -> None:
    owner = a_user("owner")
    campaign = a_campaign(owner)
    made = [a_candidate(campaign, i) for i in range(8)]
    a_tensor(a_result(made[0], 2000.0), 2500.0, "LBTE")
    services.candidate_summaries_refresh([made[0].pk])
    a_result(made[1], dynamical="imaginary")
    services.plan_start(plan=a_plan(made[2]), user=owner)
    a_plan(made[3], state=PlanState.FAILED)
    services.candidate_exclude(candidate=made[4], user=owner, reason="r")
    services.duplicate_mark(candidate=made[5], representative=made[0], user=owner, reason="r")
    services.structure_rename(structure=made[6].relaxed, name="named", user=owner)
    services.structure_tag(structure=made[6].start, tags=["b", "a"], user=owner)
    services.candidate_reject(candidate=made[7], user=owner, text="no")
    before = all_rows()
    call_command("summaries_rebuild", verbosity=0)
    assert all_rows() == before
    CandidateSummary.objects.all().delete()
    services.summaries_rebuild()
    assert all_rows() == before


def test_a_summary_holds_the_newest_plan_and_both_methods() -> None:
    candidate = a_candidate(a_campaign(a_user("owner")), 0)
    a_tensor(a_result(candidate, 2000.0), 2500.0, "LBTE")
    services.candidate_summaries_refresh([candidate.pk])
    row = CandidateSummary.objects.get()
    assert (row.kappa_rta, row.kappa_lbte, row.rankable, row.dynamical) == (2000.0, 2500.0, True, "stable")
    assert row.trust_label.startswith("carbon-test · RTA · mesh of 28.5 Å")
    assert (row.promise, row.kappa_change, row.kappa_error, row.converged) == (1800.0, 0.018, 0.054, True)
    assert (row.n_atoms, row.formula, row.space_group, row.energy_per_atom) == (2, "C2", "Fd-3m", -7.5)
    a_plan(candidate, settings_digest="q" * 64)
    row.refresh_from_db()
    assert (row.kappa_state, row.kappa_rta, row.rankable) == ("PLANNED", None, False)


def test_a_refresh_takes_as_many_queries_for_three_hundred_as_for_three() -> None:
    campaign = a_campaign(a_user("owner"))
    ids = many(campaign, 300)
    counts = []
    for some in (ids[:3], ids):
        with CaptureQueriesContext(connection) as asked:
            assert services.candidate_summaries_refresh(some) == len(some)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= MOST_QUERIES


@pytest.mark.slow
def test_lists_of_a_hundred_thousand_are_read_by_as_many_queries_and_quickly() -> None:
    campaign = a_campaign(a_user("owner"))
    ids = many(campaign, 100_000)
    started = time.perf_counter()
    services.candidate_summaries_refresh(ids)
    rebuilt_s = time.perf_counter() - started
    CandidateSummary.objects.filter(candidate__index__lt=10_000).update(kappa_rta=1.0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE reviews_candidatesummary")
    slowest_s = 0.0
    for sort in [sign + name for name in SORTS for sign in ("", "-")]:
        started = time.perf_counter()
        with CaptureQueriesContext(connection) as asked:
            rows = candidates_list(campaign.owner, campaign, {"sort": sort})
            assert len(rows[:50]) == 50
        slowest_s = max(slowest_s, time.perf_counter() - started)
        assert len(asked) <= 3
    print(f"100,000 summaries in {rebuilt_s:.1f} s; slowest page {slowest_s * 1000:.0f} ms")
    assert slowest_s < 1.0


def many(campaign: Campaign, count: int) -> list[int]:
    """Candidates without results, each a crystal of its own."""
    rows = [structure_row(a_crystal(2.0 + i * 1e-5)) for i in range(count)]
    Structure.objects.bulk_create(rows, batch_size=2000)
    last = a_structure(a_crystal(1.5))
    made = Candidate.objects.bulk_create(
        [
            Candidate(campaign=campaign, index=i, origin="generated", source=f"search {i}", start=row, relaxed=last)
            for i, row in enumerate(rows)
        ],
        batch_size=2000,
    )
    return [candidate.pk for candidate in made]
