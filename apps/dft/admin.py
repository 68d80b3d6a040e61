"""The gate is looked at here and never opened: no row is added, changed or deleted; decisions are made on the pages."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin, quantity
from apps.dft.models import (
    Approval,
    BudgetEntry,
    BudgetGrant,
    DftCalculation,
    DftComment,
    DftFile,
    DftOutcome,
    DftRequest,
    GatePolicy,
)


class GateAdmin(ReadOnlyAdmin):
    """Rows to look at, without a bulk action."""

    actions = None


@admin.register(DftRequest)
class DftRequestAdmin(GateAdmin):
    list_display = (
        "id", "title", "campaign", "purpose", "candidate", quantity("uncertainty", "uncertainty (meV/atom)"),
        "proposed_by", "created_at",
    )  # fmt: skip
    list_filter = ("purpose", "campaign")
    list_select_related = ("campaign", "candidate", "proposed_by")


@admin.register(DftCalculation)
class DftCalculationAdmin(GateAdmin):
    list_display = (
        "id", "label", "request", "campaign", "engine", "state", quantity("estimate", "estimate (core-hours)"),
        "failure", "proposed_by",
    )  # fmt: skip
    list_filter = ("state", "engine", "failure", "campaign")
    search_fields = ("inputs_sha256", "label")
    list_select_related = ("request", "campaign", "proposed_by")


@admin.register(Approval)
class ApprovalAdmin(GateAdmin):
    list_display = ("id", "calculation", "answer", "decided_by", "grant", "reason", "created_at", "voided_at")
    list_filter = ("answer",)
    search_fields = ("inputs_sha256",)
    list_select_related = ("calculation__request", "decided_by", "grant__campaign")


@admin.register(BudgetGrant)
class BudgetGrantAdmin(GateAdmin):
    list_display = (
        "id", "campaign", quantity("core_hours", "core-hours", ".3g"), "automatic", "granted_by", "created_at",
        "revoked_at", "revoked_by",
    )  # fmt: skip
    list_filter = ("automatic", "campaign")
    list_select_related = ("campaign", "granted_by", "revoked_by")


@admin.register(BudgetEntry)
class BudgetEntryAdmin(GateAdmin):
    list_display = (
        "id", "campaign", "kind", quantity("core_hours", "core-hours", "+.4g"), "calculation", "grant", "note",
        "created_at",
    )  # fmt: skip
    list_filter = ("kind", "campaign")
    list_select_related = ("campaign", "calculation__request", "grant__campaign")


@admin.register(GatePolicy)
class GatePolicyAdmin(GateAdmin):
    list_display = ("campaign", "own_approval", "changed_by", "reason", "changed_at")
    list_select_related = ("campaign", "changed_by")


@admin.register(DftOutcome)
class DftOutcomeAdmin(GateAdmin):
    list_display = (
        "id", "calculation", quantity("energy", "energy (eV per cell)", ".6f"), "source", "version",
        quantity("core_hours", "core-hours", ".3g"), "host", "created_at",
    )  # fmt: skip
    list_filter = ("source",)
    list_select_related = ("calculation__request",)


@admin.register(DftFile)
class DftFileAdmin(GateAdmin):
    list_display = ("id", "calculation", "kind", "artifact", "added_by", "created_at")
    list_select_related = ("calculation__request", "artifact", "added_by")


@admin.register(DftComment)
class DftCommentAdmin(GateAdmin):
    list_display = ("id", "request", "author", "text", "created_at")
    list_select_related = ("request", "author")
