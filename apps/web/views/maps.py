"""The map of a campaign."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.campaigns.selectors import campaign_get
from apps.maps.selectors import PointRow, map_points, maps_of, selections_of
from apps.reviews.selectors import summaries
from apps.web.figures.maps import Mark, Quantity, soap_map
from apps.web.figures.style import in_lines
from apps.web.page import page
from apps.web.templatetags.units import kappa, num, words
from apps.web.views.campaigns import campaign_context

QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("kappa_rta", "κ<sub>L</sub>, RTA (W/(m·K))", logarithmic=True),
        Quantity("kappa_lbte", "κ<sub>L</sub>, LBTE (W/(m·K))", logarithmic=True),
        Quantity("promise", "κ<sub>L</sub> estimate before computing (W/(m·K))", logarithmic=True),
        Quantity("uncertainty", "Uncertainty of the committee (meV/atom)", logarithmic=True),
        Quantity("above_hull", "Energy above the hull (eV/atom)"),
        Quantity("energy_per_atom", "Energy (eV/atom)"),
        Quantity("density", "Density (g/cm³)"),
        Quantity("n_atoms", "Atoms in the primitive cell"),
        Quantity("space_group_number", "Space group number"),
        Quantity("dimensionality", "Dimensionality"),
        Quantity("novelty", "Novelty", in_words=True),
        Quantity("dynamical", "Phonons", in_words=True),
        Quantity("origin", "Origin", in_words=True),
        Quantity("verdict", "Review", in_words=True),
    )
}
"""What may colour the map: a field of CandidateSummary each."""


@require_GET
@page
def soap_map_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The plane, coloured by any quantity; version, colour and selection are in the address."""
    found = campaign_get(request.user, pk)
    versions = list(maps_of(found))
    asked = request.GET.get("version", "")
    version = int(asked) if asked.isdecimal() else None
    points = map_points(found, version)
    quantity = QUANTITIES.get(request.GET.get("colour", ""), QUANTITIES["kappa_rta"])
    selections = list(selections_of(found))
    chosen = _chosen(selections, request.GET.get("selection", "")) | _one(request.GET.get("candidate", ""))
    context = {
        **campaign_context(request, found, "map"),
        "versions": versions,
        "shown": next((m for m in versions if version in (None, m.version)), None),
        "quantity": quantity,
        "quantities": [(name, q.title.replace("<sub>", "_").replace("</sub>", "")) for name, q in QUANTITIES.items()],
        "selections": selections,
        "chosen": request.GET.get("selection", ""),
        "points": len(points),
        "figure": soap_map(_marks(points, quantity, chosen), quantity) if points else None,
    }
    return render(request, "web/map.html", context)


def _chosen(selections: list[Any], asked: str) -> frozenset[int]:
    members = [s.members.all() for s in selections if str(s.pk) == asked]
    return frozenset(member.candidate_id for rows in members for member in rows)


def _one(asked: str) -> frozenset[int]:
    return frozenset({int(asked)}) if asked.isdecimal() else frozenset()


def _marks(points: list[PointRow], quantity: Quantity, chosen: frozenset[int]) -> list[Mark]:
    rows = {row.candidate_id: row for row in summaries([point.candidate_id for point in points])}
    return [_mark(point, rows.get(point.candidate_id), quantity, point.candidate_id in chosen) for point in points]


def _mark(point: PointRow, row: Any, quantity: Quantity, ring: bool) -> Mark:
    name = (row.name if row else "") or point.label or f"#{point.index}"
    value = getattr(row, quantity.name, None)
    value = words(value) if quantity.in_words and value else value
    facts = f"{row.formula} · {row.space_group} · κ_L (RTA) {kappa(row.kappa_rta)} W/(m·K)" if row else ""
    shown = (
        "" if quantity.name == "kappa_rta" or value is None or value == "" else f"<br>{quantity.title}: {_said(value)}"
    )
    address = reverse("candidate", args=[point.candidate_id])
    trust = _trust(row.trust_label) if row else ""
    return Mark(
        point.x, point.y, f"<b>{name}</b> #{point.index}<br>{facts}{shown}{trust}", address, value or None, ring
    )


def _trust(label: str) -> str:
    """The trust label in lines that a hover can hold."""
    return "".join(f"<br>{line}" for line in in_lines([word for word in label.split(" · ") if word]))


def _said(value: Any) -> str:
    return value if isinstance(value, str) else num(value, 4)
