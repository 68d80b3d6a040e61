"""Rows for the tests of the REST face, made the short way."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.campaigns.models import Campaign, Membership
from apps.reviews.models import CandidateSummary
from apps.structures.models import Candidate, Structure
from kappakit.protocol import PROTOCOLS

CELL = [[0.0, 1.783, 1.783], [1.783, 0.0, 1.783], [1.783, 1.783, 0.0]]


def user(name: str, **facts: Any) -> User:
    return User.objects.create_user(name, password="mole-mole-42", **facts)


def campaign(owner: User, name: str = "carbon", roles: tuple[str, ...] = (), **facts: Any) -> Campaign:
    protocol = PROTOCOLS["smoke"]
    made = Campaign.objects.create(
        name=name, owner=owner, protocol=protocol.as_dict(), protocol_digest=protocol.digest, **facts
    )
    Membership.objects.create(campaign=made, user=owner, roles=list(roles or ("admin",)))
    return made


def structure(digest: str = "d" * 64, **facts: Any) -> Structure:
    whole = {
        "cell": CELL, "frac": [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], "numbers": [6, 6], "n_atoms": 2, "formula": "C2",
        "chemical_system": "C", "volume_per_atom": 5.668, "density": 3.52,
    }  # fmt: skip
    return Structure.objects.create(digest=digest, **(whole | facts))


def candidates(where: Campaign, count: int, start: Structure, **facts: Any) -> list[Candidate]:
    first = Candidate.objects.filter(campaign=where).count()
    rows = [
        Candidate(campaign=where, index=n, origin="generated", source=f"search#{n}", start=start, **facts)
        for n in range(first, first + count)
    ]
    return Candidate.objects.bulk_create(rows)


def summaries(of: list[Candidate], values: list[dict[str, Any]] | None = None) -> list[CandidateSummary]:
    values = values or [{} for _ in of]
    common = {"formula": "C2", "chemical_system": "C", "origin": "generated", "outcome": "kept"}
    return CandidateSummary.objects.bulk_create(
        CandidateSummary(candidate=c, campaign_id=c.campaign_id, index=c.index, **(common | given))
        for c, given in zip(of, values, strict=True)
    )
