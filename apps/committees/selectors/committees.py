"""Committees by iteration, their members, and what they said about candidates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from apps.campaigns.models import Campaign
from apps.committees.models import Committee, LabelRound, Member, UncertaintyRecord
from apps.dft.states import Decision
from apps.training.selectors import model_files, potential_ref
from kappakit.ports import PotentialRef


def committees_of(campaign: Campaign) -> QuerySet[Committee]:
    """All iterations of a campaign, in order, with worst candidate and label round."""
    rows = Committee.objects.filter(campaign=campaign).select_related("trained", "worst", "label_round__request")
    return rows.order_by("sweep", "iteration")


def committee_at(campaign: Campaign, sweep: int, iteration: int) -> Committee | None:
    """The committee of an iteration."""
    return committees_of(campaign).filter(sweep=sweep, iteration=iteration).first()


def last_committee(campaign: Campaign, *, before: tuple[int, int] | None = None) -> Committee | None:
    """The newest one with members of its own, of all or of those `before` (sweep, iteration)."""
    rows = Committee.objects.filter(campaign=campaign, trained=None)
    if before is not None:
        sweep, iteration = before
        rows = rows.filter(Q(sweep__lt=sweep) | Q(sweep=sweep, iteration__lt=iteration))
    return rows.order_by("-sweep", "-iteration").first()


def members_of(committee: Committee) -> QuerySet[Member]:
    """All members, those left out too, in order; a later sweep's iteration 0 has those of the committee it uses."""
    rows = Member.objects.filter(committee=committee.trained_id or committee.pk).select_related("model", "warm_from")
    return rows.defer("model__card", "model__curve").order_by("index")


def members_ready(committee: Committee) -> list[Member]:
    """Those that were trained."""
    return list(members_of(committee).filter(model__isnull=False))


def members_with(ids: Sequence[int]) -> list[Member]:
    """These members, in the order of `ids`."""
    rows = Member.objects.select_related("model").defer("model__card", "model__curve").in_bulk(ids)
    return [rows[pk] for pk in ids]


def member_refs(members: Iterable[Member]) -> tuple[tuple[PotentialRef, ...], dict[str, str]]:
    """(members, their files): number i of them in the folder member-i."""
    named = [(f"member-{number}", member.model) for number, member in enumerate(members)]
    files: dict[str, str] = {}
    for folder, model in named:
        files |= model_files(model, folder)
    return tuple(potential_ref(model, folder) for folder, model in named), files


def labelled_candidates(campaign: Campaign) -> set[int]:
    """Candidates that were asked of DFT in this campaign: a crystal is added once only."""
    return set(LabelRound.objects.filter(committee__campaign=campaign).values_list("candidate_id", flat=True))


def round_at(campaign: Campaign, sweep: int, iteration: int) -> LabelRound | None:
    """What an iteration asked."""
    rows = LabelRound.objects.select_related("candidate", "request")
    return rows.filter(committee__campaign=campaign, committee__sweep=sweep, committee__iteration=iteration).first()


def round_counts(asked: LabelRound) -> tuple[int, int]:
    """(done, all others) of a round's calculations; one that was replaced by a changed one counts by that."""
    rows = asked.request.calculations.filter(replaced_by=None)
    done = rows.filter(state=Decision.DONE).count()
    return done, rows.count() - done


def records_of(committee: Committee) -> QuerySet[UncertaintyRecord]:
    """What its members said, most uncertain in energy first."""
    rows = UncertaintyRecord.objects.filter(committee=committee).select_related("candidate")
    return rows.order_by("-energy_std", "candidate_id")
