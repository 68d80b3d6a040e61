"""Labelled configurations: the sets of files, and what DFT has answered so far."""

from __future__ import annotations

import numpy as np
from django.db.models import QuerySet

from apps.campaigns.models import Campaign
from apps.committees.models import LabelSet
from apps.dft.models import DftOutcome
from apps.dft.selectors import outcomes_of_purpose
from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.stages.contracts import LabelItem


def label_set(campaign: Campaign, kind: str) -> LabelSet | None:
    """The uploaded file, the start set or the fixed test set."""
    return LabelSet.objects.filter(campaign=campaign, kind=kind).select_related("artifact").first()


def label_items(campaign: Campaign) -> tuple[LabelItem, ...]:
    """What DFT answered to the campaign's committee so far, in the order of asking, each on its own method's zero.

    A result without a stress (see without_stress) teaches nothing: its zero would be taken for a stress.
    """
    return tuple(
        LabelItem(
            id=str(row.calculation_id),
            crystal=Crystal(row.cell, row.frac, DftTask.from_text(row.calculation.inputs).crystal.numbers),
            energy=row.energy,
            forces=np.array(row.forces),
            stress=np.array(row.stress),
            group=f"label:{row.calculation.request.key}",
            method=row.method_sha256,
        )
        for row in _learned(campaign)
    )


def label_count(campaign: Campaign) -> int:
    """How many label_items are."""
    return _learned(campaign).count()


def without_stress(campaign: Campaign) -> int:
    """How many answers are left out because their code gave no correct stress."""
    return outcomes_of_purpose(campaign).filter(stress__isnull=True).count()


def _learned(campaign: Campaign) -> QuerySet[DftOutcome]:
    return outcomes_of_purpose(campaign).filter(stress__isnull=False)
