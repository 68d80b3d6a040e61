"""Maps and selections, to look at: they are never made again in place."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin, quantity
from apps.maps.models import MapPoint, Selection, SelectionMember, SoapMap


@admin.register(SoapMap)
class SoapMapAdmin(ReadOnlyAdmin):
    """A frozen map version."""

    list_display = ("campaign", "version", quantity("perplexity", "perplexity as used", "g"), "seed", "created_at")
    list_filter = ("campaign",)
    list_select_related = ("campaign",)


@admin.register(MapPoint)
class MapPointAdmin(ReadOnlyAdmin):
    """A candidate's place."""

    list_display = ("map", "candidate", quantity("x", "x (no unit)"), quantity("y", "y (no unit)"))
    list_select_related = ("map__campaign", "candidate__campaign")


@admin.register(Selection)
class SelectionAdmin(ReadOnlyAdmin):
    """A recorded choice."""

    list_display = ("id", "campaign", "map", "kind", "sweep", "notes", "created_at")
    list_filter = ("kind", "campaign")
    list_select_related = ("campaign", "map__campaign")


@admin.register(SelectionMember)
class SelectionMemberAdmin(ReadOnlyAdmin):
    """Who was chosen, how, and near whom."""

    list_display = ("selection", "candidate", "order", quantity("distance", "distance"), "how", "centre")
    list_select_related = ("selection__campaign", "candidate__campaign", "centre__campaign")
