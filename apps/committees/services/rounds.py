"""Asking DFT for labels: the rattled configurations of the most uncertain crystal become proposals at the gate."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from apps.campaigns.selectors import protocol_of
from apps.committees.decisions import Uncertain, decides_words, value_of
from apps.committees.models import Committee, LabelRound, UncertaintyRecord
from apps.committees.selectors import oracle_of
from apps.dft.services import Asked, request_approve_by_grant, request_propose
from apps.dft.states import Purpose
from apps.structures.models import Candidate
from kappakit.crystals import Crystal
from kappakit.dft import LABEL, DftTask
from kappakit.protocol import CommitteeSettings, DftSettings
from kappakit.stages.contracts import RattleOutputs

AUTO = "auto"


def round_key(sweep: int, iteration: int) -> str:
    """Of the request, once in a campaign."""
    return f"labels/{sweep}/{iteration}"


@transaction.atomic
def round_propose(*, committee: Committee, candidate: Candidate, outputs: RattleOutputs, seed: int) -> LabelRound:
    """A request with one calculation for each rattled cell; a granted budget may be spent on it where the protocol
    says so, else it waits for an approver. Made once. Raises OracleMissing."""
    campaign = committee.campaign
    protocol = protocol_of(campaign)
    tasks = _tasks(outputs.cells, protocol.dft, (oracle.sha256 if (oracle := oracle_of(protocol.dft)) else ""))
    request = request_propose(
        campaign=campaign,
        asked=_asked(committee, candidate, protocol.committee, len(tasks)),
        tasks=tasks,
        run=protocol.dft_run,
        proposed_by=campaign.started_by or campaign.owner,
    )
    row, _ = LabelRound.objects.get_or_create(
        committee=committee,
        defaults={
            "candidate": candidate,
            "request": request,
            "repeats": list(outputs.repeats),
            "lengths": list(outputs.lengths),
            "amplitude": outputs.amplitude,
            "seed": seed,
        },
    )
    if protocol.committee.label == AUTO:
        request_approve_by_grant(request=request)
    return row


def _tasks(cells: Sequence[Crystal], settings: DftSettings, oracle: str) -> list[tuple[str, DftTask]]:
    """Labels with their tasks; cells that nothing distinguishes (an amplitude of 0) are asked once."""
    tasks = {
        task.text(): (f"rattle {number}", task)
        for number, cell in reversed(list(enumerate(cells, 1)))
        for task in [DftTask(LABEL, cell, settings, oracle)]
    }
    return list(reversed(tasks.values()))


def _asked(committee: Committee, candidate: Candidate, settings: CommitteeSettings, count: int) -> Asked:
    record = UncertaintyRecord.objects.get(committee=committee, candidate=candidate)
    said = Uncertain(candidate.pk, record.energy_std, record.force_spread)
    return Asked(
        purpose=Purpose.LABEL,
        key=round_key(committee.sweep, committee.iteration),
        title=f"Labels for #{candidate.index} (iteration {_words(committee)})",
        decides=decides_words(settings, value=value_of(said, settings.criterion), rattles=count),
        candidate=candidate,
        sweep=committee.sweep,
        iteration=committee.iteration,
        uncertainty=record.energy_std,
    )


def _words(committee: Committee) -> str:
    return f"{committee.iteration} of sweep {committee.sweep}" if committee.sweep else str(committee.iteration)
