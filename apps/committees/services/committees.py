"""Committees as they come: begun, trained member by member, asked, and the fit that follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.committees.decisions import Uncertain, choice
from apps.committees.models import Committee, FinalFit, Member, UncertaintyRecord
from apps.committees.selectors import labelled_candidates, last_committee, members_of
from apps.core.errors import ApplicationError
from apps.structures.models import Candidate
from apps.training.models import TrainedModel
from apps.training.selectors import MEMBER
from apps.training.services import model_trained
from kappakit.seeds import crystal_seed
from kappakit.stages.contracts import Refusal, TrainOutputs, UncertaintyOutputs

LONGEST_NAME = 100
"""Of a model."""


class CommitteeMissing(ApplicationError):
    """Nobody can be asked, or too few."""

    code = "committee_missing"
    status = 409


@transaction.atomic
def committee_begun(
    *,
    campaign: Campaign,
    sweep: int,
    iteration: int,
    held_out: Sequence[Sequence[str]],
    labels: int,
    notes: Sequence[str] = (),
) -> Committee:
    """The committee of an iteration and one member for each part of `held_out` (distinct crystals), with its seed.

    With warm members each starts from its own weights of the last committee, where it was trained then. Made once.
    """
    settings = protocol_of(campaign).committee
    committee, made = Committee.objects.get_or_create(
        campaign=campaign,
        sweep=sweep,
        iteration=iteration,
        defaults={
            "settings": asdict(settings),
            "criterion": settings.criterion,
            "labels": labels,
            "notes": list(notes),
        },
    )
    if not made:
        return committee
    earlier = _trained_before(committee) if settings.warm else {}
    Member.objects.bulk_create(
        Member(
            committee=committee,
            index=index,
            seed=crystal_seed(campaign.seed, index),
            held_out=list(part),
            warm_from=earlier.get(index),
        )
        for index, part in enumerate(held_out)
    )
    return committee


def committee_used_again(*, campaign: Campaign, sweep: int) -> Committee:
    """Iteration 0 of a later sweep: the members that the last one left; raises CommitteeMissing."""
    last = last_committee(campaign, before=(sweep, 0))
    if last is None:
        raise CommitteeMissing("The sweep before has left no committee.")
    values = {"trained": last, "settings": last.settings, "criterion": last.criterion, "labels": last.labels}
    return Committee.objects.get_or_create(campaign=campaign, sweep=sweep, iteration=0, defaults=values)[0]


def member_trained(
    *, member: Member, overrides: Mapping[str, Any], outputs: TrainOutputs, files: Mapping[str, int]
) -> TrainedModel:
    """The member's model is ready."""
    committee = member.committee
    model = model_trained(
        name=_model_name(
            committee.campaign, f"committee {committee.sweep}/{committee.iteration} · member {member.index}"
        ),
        configuration=committee.settings["configuration"],
        overrides=overrides,
        seed=member.seed,
        options={MEMBER: committee.pk, "member": member.index},
        created_by=_starter(committee.campaign),
        outputs=outputs,
        files=files,
    )
    Member.objects.filter(pk=member.pk).update(model=model, note="")
    return model


def member_failed(*, member_id: int, message: str) -> None:
    """It is left out, and says why."""
    Member.objects.filter(pk=member_id, model=None).update(note=message or "Its training failed.")


def final_fit_record(
    *,
    campaign: Campaign,
    sweep: int,
    labels: int,
    seed: int,
    overrides: Mapping[str, Any],
    outputs: TrainOutputs,
    files: Mapping[str, int],
) -> FinalFit:
    """The potential that the sweep's conductivities are computed with."""
    model = model_trained(
        name=_model_name(campaign, f"final fit (sweep {sweep})"),
        configuration=protocol_of(campaign).committee.configuration,
        overrides=overrides,
        seed=seed,
        options={"final_fit": sweep, "campaign": campaign.pk},
        created_by=_starter(campaign),
        outputs=outputs,
        files=files,
    )
    return FinalFit.objects.update_or_create(
        campaign=campaign, sweep=sweep, defaults={"model": model, "labels": labels}
    )[0]


def uncertainties_record(*, committee: Committee, outputs: UncertaintyOutputs) -> set[int]:
    """What the members said, and what follows from it; the candidates that it is about."""
    settings = protocol_of(committee.campaign).committee
    rows = [
        UncertaintyRecord(
            committee=committee,
            candidate_id=int(item.id),
            energies=item.energies.tolist(),
            energy_std=item.energy_std,
            force_spread=item.force_spread,
        )
        for item in outputs.items
    ]
    UncertaintyRecord.objects.filter(committee=committee).delete()
    UncertaintyRecord.objects.bulk_create(rows)
    found = choice(
        [Uncertain(row.candidate_id, row.energy_std, row.force_spread) for row in rows],
        labelled=labelled_candidates(committee.campaign),
        settings=settings,
        iteration=committee.iteration,
    )
    Committee.objects.filter(pk=committee.pk).update(
        calibration={name: _plain(value) for name, value in vars(outputs.calibration).items()},
        criterion=settings.criterion,
        highest=found.highest,
        above=list(found.above),
        worst=found.worst,
        stopped=found.stopped,
        seconds=outputs.seconds,
        notes=[*committee.notes, *_refused(outputs.refusals)],
    )
    return {row.candidate_id for row in rows}


def _trained_before(committee: Committee) -> dict[int, Member]:
    before = last_committee(committee.campaign, before=(committee.sweep, committee.iteration))
    return {} if before is None else {m.index: m for m in members_of(before).filter(model__isnull=False)}


def _refused(refusals: Sequence[Refusal]) -> list[str]:
    numbers = dict(Candidate.objects.filter(pk__in=[int(r.source) for r in refusals]).values_list("pk", "index"))
    return [f"#{numbers.get(int(r.source), r.source)} could not be asked: {r.detail}" for r in refusals]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def _starter(campaign: Campaign) -> Any:
    return campaign.started_by or campaign.owner


def _model_name(campaign: Campaign, tail: str) -> str:
    """Unique: a long name of a campaign is cut and told by its number; what somebody else took gets one, too.

    What learned from a surrogate says so wherever its name stands, beside every κ_L too.
    """
    tail += ", of a surrogate" if protocol_of(campaign).dft.engine == "surrogate" else ""
    room = LONGEST_NAME - len(tail) - 3
    shown = campaign.name if len(campaign.name) <= room else f"{campaign.name[: room - 15]}… ({campaign.pk})"
    name = f"{shown} · {tail}"
    if not TrainedModel.objects.filter(name=name).exists():
        return name
    return f"{campaign.name[: room - 30]} ({campaign.pk}, {TrainedModel.objects.count()}) · {tail}"
