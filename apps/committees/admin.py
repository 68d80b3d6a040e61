"""Committees and what they said, to look at: they are made by campaigns."""

from __future__ import annotations

from django.contrib import admin

from apps.committees.models import Committee, FinalFit, LabelRound, LabelSet, Member, UncertaintyRecord
from apps.core.admin import ReadOnlyAdmin, quantity


@admin.register(LabelSet)
class LabelSetAdmin(ReadOnlyAdmin):
    """Labelled configurations."""

    list_display = ("campaign", "kind", "file_name", "frames", "uploaded_by", "created_at")
    list_filter = ("kind", "campaign")
    list_select_related = ("campaign", "uploaded_by")


@admin.register(Committee)
class CommitteeAdmin(ReadOnlyAdmin):
    """An iteration."""

    list_display = (
        "campaign", "sweep", "iteration", "labels", "criterion", quantity("highest", "highest (meV/atom or eV/Å)"),
        "worst", "stopped",
    )  # fmt: skip
    list_filter = ("campaign",)
    list_select_related = ("campaign", "worst__campaign")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """One potential of a committee."""

    list_display = ("committee", "index", "model", "seed", "warm_from", "note")
    list_select_related = ("committee__campaign", "model", "warm_from__committee__campaign")


@admin.register(UncertaintyRecord)
class UncertaintyRecordAdmin(ReadOnlyAdmin):
    """The members about one candidate."""

    list_display = (
        "candidate", "committee", quantity("energy_std", "energies (meV/atom)"),
        quantity("force_spread", "forces (eV/Å)"),
    )  # fmt: skip
    list_select_related = ("candidate__campaign", "committee__campaign")


@admin.register(LabelRound)
class LabelRoundAdmin(ReadOnlyAdmin):
    """What an iteration asked of DFT."""

    list_display = (
        "committee", "candidate", "request", "repeats", quantity("amplitude", "amplitude (Å)"), "seed", "created_at",
    )  # fmt: skip
    list_select_related = ("committee__campaign", "candidate__campaign", "request")


@admin.register(FinalFit)
class FinalFitAdmin(ReadOnlyAdmin):
    """The potential of a sweep's conductivities."""

    list_display = ("campaign", "sweep", "model", "labels", "created_at")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "model")
