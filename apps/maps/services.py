"""New map versions and selections: objects that are never recomputed in place."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign
from apps.maps.models import MapPoint, Selection, SelectionKind, SelectionMember, SoapMap
from apps.maps.selectors import DESCRIPTORS, IDS
from apps.structures.services import numbering_lock

BATCH = 2000


@dataclass(frozen=True)
class Chosen:
    """A member of a selection; `how`: 'fps', 'reference' or 'knn' (then `centre_id` says of whom)."""

    candidate_id: int
    order: int
    distance: float | None
    how: str
    centre_id: int | None = None


@transaction.atomic
def map_record(
    *,
    campaign: Campaign,
    ids: Sequence[int],
    descriptors: np.ndarray,
    plane: np.ndarray,
    settings: Mapping[str, Any],
    perplexity: float,
    notes: Iterable[str],
) -> SoapMap:
    """The next version of the campaign's map: descriptors (n, d), plane (n, 2), in order of `ids`."""
    numbering_lock(campaign.pk)
    newest = SoapMap.objects.filter(campaign=campaign).aggregate(Max("version"))["version__max"] or 0
    row = SoapMap.objects.create(
        campaign=campaign,
        version=newest + 1,
        settings=dict(settings),
        seed=settings["seed"],
        perplexity=perplexity,
        notes=list(notes),
        descriptors=artifacts.store_bytes(_file(ids, descriptors), kind="map", name=f"map-{newest + 1}.npz"),
    )
    points = (MapPoint(map=row, candidate_id=pk, x=x, y=y) for pk, (x, y) in zip(ids, plane.tolist(), strict=True))
    MapPoint.objects.bulk_create(points, batch_size=BATCH)
    return row


@transaction.atomic
def selection_record(
    *,
    map: SoapMap,
    kind: SelectionKind,
    sweep: int,
    settings: Mapping[str, Any],
    notes: Iterable[str],
    members: Iterable[Chosen],
) -> Selection:
    """A selection with its members."""
    row = Selection.objects.create(
        campaign_id=map.campaign_id, map=map, kind=kind, sweep=sweep, settings=dict(settings), notes=list(notes)
    )
    SelectionMember.objects.bulk_create(
        (
            SelectionMember(
                selection=row,
                candidate_id=chosen.candidate_id,
                order=chosen.order,
                distance=chosen.distance,
                how=chosen.how,
                centre_id=chosen.centre_id,
            )
            for chosen in members
        ),
        batch_size=BATCH,
    )
    return row


def _file(ids: Sequence[int], descriptors: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    arrays = {IDS: np.array(ids, dtype=np.int64), DESCRIPTORS: np.asarray(descriptors, dtype=np.float32)}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
