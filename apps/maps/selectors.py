"""Questions about maps, selections and neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Prefetch, QuerySet

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign
from apps.campaigns.selectors import campaigns_visible
from apps.core.errors import ApplicationError, NotThere
from apps.maps.models import MapPoint, Selection, SelectionMember, SoapMap
from apps.structures.models import Candidate

SOAP, PLANE = "soap", "plane"
IDS, DESCRIPTORS = "ids", "descriptors"
"""Arrays of a map's file: candidate ids (n,) int64, SOAP vectors (n, d) float32."""


class SpaceUnknown(ApplicationError):
    """Neither 'soap' nor 'plane'."""

    code = "space_unknown"
    status = 400


@dataclass(frozen=True)
class PointRow:
    """A candidate's place on a map (no unit)."""

    candidate_id: int
    index: int
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Near:
    """A candidate near another one; `distance` in the space asked for (no unit)."""

    candidate_id: int
    distance: float


def maps_of(campaign: Campaign) -> QuerySet[SoapMap]:
    """The campaign's maps, newest first."""
    return SoapMap.objects.filter(campaign=campaign).order_by("-version")


def newest_map(campaign: Campaign) -> SoapMap | None:
    """The newest map, None before there is one."""
    return maps_of(campaign).first()


def map_get(user: Any, map_id: int) -> SoapMap:
    """A map of a campaign that `user` may see; raises NotThere."""
    rows = SoapMap.objects.select_related("campaign", "descriptors")
    found = rows.filter(pk=map_id, campaign__in=campaigns_visible(user)).first()
    if found is None:
        raise NotThere("There is no such map.")
    return found


def map_points(campaign: Campaign, version: int | None = None) -> list[PointRow]:
    """The points of a version (the newest when none is named), in order of index; one query. Raises NotThere."""
    found = newest_map(campaign) if version is None else maps_of(campaign).filter(version=version).first()
    if found is None:
        if version is None:
            return []
        raise NotThere(f"The campaign has no map version {version}.")
    rows = MapPoint.objects.filter(map=found).order_by("candidate__index")
    values = rows.values_list("candidate_id", "candidate__index", "candidate__label", "x", "y")
    return [PointRow(*row) for row in values]


def map_vectors(soap_map: SoapMap) -> tuple[list[int], np.ndarray]:
    """Candidate ids and SOAP vectors (n, d) float32, in the map's order. Raises NotThere when the file is missing."""
    with np.load(artifacts.path(soap_map.descriptors), allow_pickle=False) as stored:
        return [int(pk) for pk in stored[IDS]], stored[DESCRIPTORS]


def plane_vectors(soap_map: SoapMap) -> tuple[list[int], np.ndarray]:
    """Candidate ids and places on the plane (n, 2) float64, in order of the candidates' index."""
    rows = list(
        MapPoint.objects.filter(map=soap_map).order_by("candidate__index").values_list("candidate_id", "x", "y")
    )
    return [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=float).reshape(-1, 2)


def vectors_of(soap_map: SoapMap, space: str) -> tuple[list[int], np.ndarray]:
    """Ids and vectors (n, d) in `space`: 'soap' or 'plane'. Raises SpaceUnknown."""
    if space == SOAP:
        return map_vectors(soap_map)
    if space == PLANE:
        return plane_vectors(soap_map)
    raise SpaceUnknown(f"There is no space “{space}”: choose soap or plane.")


def neighbours_of(candidate: Candidate, *, k: int = 10, space: str = SOAP) -> list[Near]:
    """The k nearest candidates on the newest map that holds `candidate`, nearest first; [] when none does."""
    point = MapPoint.objects.filter(candidate=candidate).select_related("map__descriptors").order_by("-map__version")
    place = point.first()
    if place is None:
        return []
    ids, vectors = vectors_of(place.map, space)
    distances = np.linalg.norm(vectors - vectors[ids.index(candidate.pk)], axis=1)
    order = [i for i in np.lexsort((ids, distances)) if ids[i] != candidate.pk]
    return [Near(ids[i], float(distances[i])) for i in order[:k]]


def selections_of(campaign: Campaign) -> QuerySet[Selection]:
    """The campaign's selections, oldest first, with map and members (each with candidate and centre)."""
    members = SelectionMember.objects.select_related("candidate", "centre").order_by("order", "candidate_id")
    rows = Selection.objects.filter(campaign=campaign).select_related("map")
    return rows.prefetch_related(Prefetch("members", queryset=members)).order_by("id")
