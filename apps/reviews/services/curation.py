"""What curators decide, and the lists that show it at once: the lower services do the work, the summaries follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from apps.reviews.services.summaries import candidate_summaries_refresh
from apps.structures import services as structures
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Structure
from apps.structures.selectors import candidates_with


@transaction.atomic
def structure_rename(*, structure: Structure, name: str, user: Any) -> Structure:
    """Name a structure, everywhere; empty: take the name away. Raises as structures.services.structure_rename."""
    changed = structures.structure_rename(structure=structure, name=name, user=user)
    candidate_summaries_refresh(candidates_with(structure))
    return changed


@transaction.atomic
def structure_tag(*, structure: Structure, tags: Iterable[str], user: Any) -> Structure:
    """Give a structure exactly these tags, everywhere. Raises as structures.services.structure_tag."""
    changed = structures.structure_tag(structure=structure, tags=tags, user=user)
    candidate_summaries_refresh(candidates_with(structure))
    return changed


@transaction.atomic
def duplicate_mark(*, candidate: Candidate, representative: Candidate, user: Any, reason: str) -> DuplicateMatch:
    """`candidate` is the same crystal as `representative`. Raises as structures.services.duplicate_mark."""
    match = structures.duplicate_mark(candidate=candidate, representative=representative, user=user, reason=reason)
    candidate_summaries_refresh([candidate.pk, representative.pk])
    return match


@transaction.atomic
def duplicate_undo(*, match: DuplicateMatch, user: Any, reason: str) -> DuplicateMatch:
    """Take a match back. Raises as structures.services.duplicate_undo."""
    undone = structures.duplicate_undo(match=match, user=user, reason=reason)
    candidate_summaries_refresh([match.duplicate_id, match.representative_id])
    return undone


@transaction.atomic
def candidate_exclude(*, candidate: Candidate, user: Any, reason: str) -> Exclusion:
    """Take a candidate out of what has not begun. Raises as structures.services.candidate_exclude."""
    exclusion = structures.candidate_exclude(candidate=candidate, user=user, reason=reason)
    candidate_summaries_refresh([candidate.pk])
    return exclusion


@transaction.atomic
def exclusion_undo(*, exclusion: Exclusion, user: Any, reason: str) -> Exclusion:
    """Let a candidate in again. Raises as structures.services.exclusion_undo."""
    undone = structures.exclusion_undo(exclusion=exclusion, user=user, reason=reason)
    candidate_summaries_refresh([exclusion.candidate_id])
    return undone
