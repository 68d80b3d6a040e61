"""Known crystals, files, refusals, relaxations and symmetries, to look at. What curators decide: reviews.admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import ReadOnlyAdmin, quantity
from apps.structures.models import Import, LiteratureValue, ReferenceCrystal, Refusal, Relaxation, SymmetryReport


@admin.register(ReferenceCrystal)
class ReferenceCrystalAdmin(ReadOnlyAdmin):
    """Known crystals: controls and names."""

    list_display = ("name", "space_group", "structure", "citation")
    list_select_related = ("structure",)


@admin.register(LiteratureValue)
class LiteratureValueAdmin(ReadOnlyAdmin):
    """Published κ_L."""

    list_display = (
        "reference",
        quantity("kappa_low", "κ_L from (W/(m·K))", "g"),
        quantity("kappa_high", "κ_L to (W/(m·K))", "g"),
        quantity("temperature", "temperature (K)", "g"),
        "method",
        "citation",
    )
    list_select_related = ("reference",)


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """Files that somebody gave."""

    list_display = ("file_name", "campaign", "taken", "refused", "uploaded_by", "created_at")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "uploaded_by")


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    """What did not become a candidate, and why."""

    list_display = ("campaign", "step_name", "source", "reason", "detail")
    list_filter = ("campaign", "step_name", "reason")
    list_select_related = ("campaign",)


@admin.register(Relaxation)
class RelaxationAdmin(ReadOnlyAdmin):
    """Start → end by one potential."""

    list_display = (
        "id",
        "potential",
        quantity("pressure", "pressure (GPa)", "g"),
        quantity("energy_per_atom", "energy (eV/atom)", ".4f"),
        quantity("max_force", "largest force (eV/Å)", ".2e"),
        quantity("max_stress", "largest stress (GPa)"),
        "steps",
        "converged",
        "rejected_reason",
    )
    list_filter = ("potential", "converged", "rejected_reason")
    list_select_related = ("potential",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Relaxation]:
        return super().get_queryset(request).defer("potential__card", "potential__curve")


@admin.register(SymmetryReport)
class SymmetryReportAdmin(ReadOnlyAdmin):
    """Symmetry of a structure."""

    list_display = ("id", "symbol", "number", "point_group", "operations", "n_primitive", "dimensionality")
    list_filter = ("crystal_system", "dimensionality")
