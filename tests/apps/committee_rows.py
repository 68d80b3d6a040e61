"""A campaign whose committees have learned for some iterations: rows of true shape, uncertainties that fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from apps.artifacts.services import store_bytes
from apps.campaigns.models import Campaign
from apps.committees.models import Committee, FinalFit, LabelRound, LabelSet, Member, UncertaintyRecord
from apps.dft.models import DftCalculation
from apps.reviews.services import candidate_summaries_refresh
from apps.structures.models import Candidate
from apps.training.models import ModelState, TrainedModel
from kappakit.protocol import CommitteeSettings, Protocol
from tests.apps.gate import a_request

SETTINGS = CommitteeSettings(size=8, threshold=15.0)
FRAMES = 40
METHOD = "5a" * 32


def asks_for_a_committee(campaign: Campaign, settings: CommitteeSettings = SETTINGS) -> None:
    """The campaign's protocol with a committee; raw, as drafts have it."""
    protocol = replace(Protocol.from_dict(campaign.protocol), committee=settings)
    Campaign.objects.filter(pk=campaign.pk).update(protocol=protocol.as_dict())
    campaign.refresh_from_db()


def a_history(
    campaign: Campaign,
    candidates: Sequence[Candidate],
    *,
    iterations: int = 3,
    settings: CommitteeSettings = SETTINGS,
    stopped: str = "No candidate is above 15 meV/atom: the highest uncertainty is 9.2.",
    left_out: str = "",
) -> list[Committee]:
    """Iterations of sweep 0: in each the next candidate is labelled, and everybody's uncertainty falls by a third.

    The last one asked for nothing where `stopped`; `left_out`: why the last member of each iteration is not there."""
    asks_for_a_committee(campaign, settings)
    _label_sets(campaign)
    made = [_iteration(campaign, candidates, n, settings, left_out) for n in range(iterations)]
    for n, committee in enumerate(made[:-1] if stopped else made):
        _asked(committee, candidates[n], n)
    if stopped:
        Committee.objects.filter(pk=made[-1].pk).update(stopped=stopped)
        FinalFit.objects.create(campaign=campaign, sweep=0, model=a_potential(f"{campaign.pk}: final fit"), labels=16)
    candidate_summaries_refresh([candidate.pk for candidate in candidates])
    return made


def a_potential(name: str) -> TrainedModel:
    return TrainedModel.objects.create(
        name=name,
        engine="allegro",
        configuration="carbon-tiny",
        species=["C"],
        sha256="1c" * 32,
        state=ModelState.READY,
    )


def calibration(scale: float = 1.0, members: int = 8) -> dict[str, Any]:
    """Errors drawn with the spread as their width, some larger: `scale` widens both."""
    rng = np.random.default_rng(3)
    spread = scale * rng.uniform(2.0, 40.0, FRAMES)
    error = 1.4 * spread * rng.normal(size=FRAMES)
    return {
        "spread_energy": spread.tolist(), "error_energy": error.tolist(),
        "spread_force": (spread / 100).tolist(), "error_force": (np.abs(error) / 80).tolist(),
        "groups": [f"crystal {n // 4}" for n in range(FRAMES)],
        "energy_mae": float(np.abs(error).mean()), "force_rmse": 380.0 * scale,
        "member_energy_mae": [20.0 * scale + n for n in range(members)],
        "member_force_rmse": [420.0 * scale + n for n in range(members)],
        "rank_energy": 0.61, "rank_force": 0.72, "ratio_energy": 1.38,
    }  # fmt: skip


def energy_std(place: int, iteration: int) -> float:
    """meV/atom of the candidate at this place, in this iteration: 60, 57, … at first, each time a third less."""
    return max(60.0 - 3.0 * place, 2.0) * (2 / 3) ** iteration


def _iteration(
    campaign: Campaign, candidates: Sequence[Candidate], number: int, settings: CommitteeSettings, left_out: str
) -> Committee:
    values = [energy_std(place, number) for place in range(len(candidates))]
    trained = settings.size - bool(left_out)
    above = [c.pk for c, value in zip(candidates, values, strict=True) if value > settings.threshold]
    committee = Committee.objects.create(
        campaign=campaign, sweep=0, iteration=number, settings=asdict(settings), labels=8 * number, above=above,
        highest=max(values), calibration=calibration(0.8**number, trained), seconds=1.5, criterion=settings.criterion,
    )  # fmt: skip
    for index in range(settings.size):
        out = left_out if index == settings.size - 1 else ""
        model = None if out else a_potential(f"{campaign.pk}: member {index + 1}, iteration {number}")
        Member.objects.create(
            committee=committee, index=index, model=model, seed=index, held_out=["crystal 1", "crystal 2"], note=out
        )
    UncertaintyRecord.objects.bulk_create(
        UncertaintyRecord(committee=committee, candidate=c, energies=[-7.0] * trained, energy_std=value,
                          force_spread=value / 50) for c, value in zip(candidates, values, strict=True)
    )  # fmt: skip
    return committee


def _asked(committee: Committee, candidate: Candidate, number: int) -> None:
    request = a_request(
        committee.campaign, committee.campaign.owner, key=f"labels/0/{number}", candidate=candidate, iteration=number
    )
    LabelRound.objects.create(
        committee=committee, candidate=candidate, request=request, repeats=[2, 2, 2], lengths=[5.0, 5.0, 5.1],
        amplitude=0.05, seed=number,
    )  # fmt: skip
    Committee.objects.filter(pk=committee.pk).update(worst=candidate)
    assert DftCalculation.objects.filter(request=request).exists()


def _label_sets(campaign: Campaign) -> None:
    for kind, frames, groups in (("start", 400, 60), ("test", 70, 11)):
        file = store_bytes(f"{kind} {campaign.pk}".encode(), kind="labels", name=f"{kind}.extxyz")
        LabelSet.objects.create(
            campaign=campaign, kind=kind, file_name=f"{kind}.extxyz", artifact=file, frames=frames,
            groups=[f"crystal {n}" for n in range(groups)], methods={METHOD: frames},
        )  # fmt: skip
