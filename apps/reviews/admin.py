"""Curation: names, tags, duplicates, exclusions, all by reviews.services; everything else is looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin import ReadOnlyAdmin, ServiceAdmin, quantity
from apps.reviews import services
from apps.reviews.models import CandidateList, CandidateListItem, CandidateSummary, Export, Review
from apps.structures.models import (
    Candidate,
    DuplicateMatch,
    Exclusion,
    Structure,
)

VOLUME = quantity("volume_per_atom", "volume (Å³/atom)")
DENSITY = quantity("density", "density (g/cm³)")


@admin.register(Structure)
class StructureAdmin(ServiceAdmin):
    """Name and tags are curated; the geometry never changes."""

    list_display = ("id", "name", "formula", "n_atoms", VOLUME, DENSITY, "tags", "short_digest")
    list_filter = ("chemical_system",)
    search_fields = ("name", "formula", "digest", "tags")
    fields = (
        "name", "tags", "formula", "chemical_system", "n_atoms", "volume_per_atom", "density", "digest",
        "cell", "frac", "numbers", "created_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in ("name", "tags"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Rename and tag by the services, whichever changed."""
        structure = Structure.objects.get(pk=obj.pk)
        if "name" in form.changed_data:
            services.structure_rename(structure=structure, name=form.cleaned_data["name"], user=request.user)
        if "tags" in form.changed_data:
            services.structure_tag(structure=structure, tags=form.cleaned_data["tags"], user=request.user)

    @admin.display(description="digest")
    def short_digest(self, obj: Structure) -> str:
        return obj.digest[:12]


@admin.register(Candidate)
class CandidateAdmin(ReadOnlyAdmin):
    """A crystal's way through a campaign. Duplicates and exclusions are added and undone in lists of their own."""

    list_display = (
        "index", "campaign", "label", "origin", "outcome", "outcome_reason", "novelty", "known_as",
        quantity("above_hull", "above the hull (eV/atom)"),
    )  # fmt: skip
    list_filter = ("campaign", "outcome", "origin", "novelty")
    search_fields = ("label", "source", "=index")
    list_select_related = ("campaign", "known_as")


class UndoForm(forms.ModelForm):
    """Nothing but the reason to undo."""

    undo_reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}), label="reason to undo", help_text="Saving undoes this, with a date."
    )


class UndoableAdmin(ServiceAdmin):
    """Added with a reason; undone with a reason; a thing of the past once it was undone."""

    given: tuple[str, ...] = ()
    """What an addition asks for."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return self.given
        return (*(f.name for f in obj._meta.concrete_fields if f.name != "undo_reason"), "undo_reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return tuple(f.name for f in obj._meta.concrete_fields if f.name != "undo_reason")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = UndoForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.undone_at is None)

    @admin.display(description="live", boolean=True, ordering="undone_at")
    def live(self, obj: Any) -> bool:
        return obj.undone_at is None


@admin.register(DuplicateMatch)
class DuplicateMatchAdmin(UndoableAdmin):
    """Evidence that two candidates are one crystal: the machine's and people's."""

    given = ("duplicate", "representative", "reason")
    raw_id_fields = ("duplicate", "representative")
    list_display = (
        "campaign", "duplicate", "representative",
        quantity("rms_forward", "rms forward ((V/N)^(1/3))", ".4f"),
        quantity("rms_backward", "rms backward ((V/N)^(1/3))", ".4f"),
        quantity("energy_difference", "ΔE (meV/atom)", ".2f"),
        "conflict", "marked_by", "live",
    )  # fmt: skip
    list_filter = ("campaign", "conflict", ("undone_at", admin.EmptyFieldListFilter))
    list_select_related = ("campaign", "duplicate__campaign", "representative__campaign", "marked_by")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Mark, or undo."""
        given = form.cleaned_data
        if change:
            match = DuplicateMatch.objects.get(pk=obj.pk)
            services.duplicate_undo(match=match, user=request.user, reason=given["undo_reason"])
            return
        match = services.duplicate_mark(
            candidate=given["duplicate"],
            representative=given["representative"],
            user=request.user,
            reason=given["reason"],
        )
        obj.pk = match.pk


@admin.register(Exclusion)
class ExclusionAdmin(UndoableAdmin):
    """Candidates that a curator took out."""

    given = ("candidate", "reason")
    raw_id_fields = ("candidate",)
    list_display = ("candidate", "reason", "excluded_by", "created_at", "live", "undone_by")
    list_filter = ("candidate__campaign", ("undone_at", admin.EmptyFieldListFilter))
    list_select_related = ("candidate__campaign", "excluded_by", "undone_by")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Exclude, or undo."""
        given = form.cleaned_data
        if change:
            exclusion = Exclusion.objects.get(pk=obj.pk)
            services.exclusion_undo(exclusion=exclusion, user=request.user, reason=given["undo_reason"])
            return
        made = services.candidate_exclude(candidate=given["candidate"], user=request.user, reason=given["reason"])
        obj.pk = made.pk


@admin.register(CandidateSummary)
class CandidateSummaryAdmin(ReadOnlyAdmin):
    """The narrow rows that lists read."""

    list_display = (
        "index", "campaign", "name", "formula", "space_group", "n_atoms", "outcome",
        quantity("kappa_rta", "κ_L RTA (W/(m·K))", ".0f"),
        quantity("kappa_lbte", "κ_L LBTE (W/(m·K))", ".0f"),
        quantity("promise", "κ_L estimate before computing (W/(m·K))", ".0f"),
        quantity("kappa_error", "error of the mesh (share)", ".2f"), "converged",
        "rankable", "dynamical", "trust_label", "verdict", "excluded",
    )  # fmt: skip
    list_filter = ("campaign", "outcome", "verdict", "rankable", "converged", "excluded")
    search_fields = ("name", "formula")
    list_select_related = ("campaign",)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """What reviewers said."""

    list_display = ("candidate", "kind", "text", "author", "created_at")
    list_filter = ("kind", "candidate__campaign")
    list_select_related = ("candidate__campaign", "author")


@admin.register(CandidateList)
class CandidateListAdmin(ReadOnlyAdmin):
    """Named lists."""

    list_display = ("name", "campaign", "owner", "created_at", "archived_at")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "owner")


@admin.register(CandidateListItem)
class CandidateListItemAdmin(ReadOnlyAdmin):
    """What is, or was, on a list."""

    list_display = ("list", "candidate", "note", "added_by", "added_at", "removed_at")
    list_select_related = ("list", "candidate__campaign", "added_by")


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Downloads that were made."""

    list_display = ("id", "campaign", "format", "state", "rows", "sha256", "requested_by", "created_at")
    list_filter = ("state", "format", "campaign")
    list_select_related = ("campaign", "requested_by")
