"""Plans, phonons and conductivities, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.conductivity.models import (
    KappaPlan,
    KappaSpread,
    KappaStudy,
    KappaTensor,
    PhononFile,
    PhononResult,
    StudyPoint,
    Validation,
)
from apps.core.admin import ReadOnlyAdmin, quantity


@admin.register(KappaPlan)
class KappaPlanAdmin(ReadOnlyAdmin):
    """What each κ_L takes, and how far it is."""

    list_display = (
        "candidate",
        "state",
        "space_group",
        "symmetry_kept",
        "supercells_fc3",
        "atoms_per_supercell",
        quantity("evaluations", "atom evaluations", ",d"),
        "mesh_rule",
        quantity("mesh_length", "mesh length (Å)", ".1f"),
        quantity("promise", "κ_L estimate before computing (W/(m·K))", ".0f"),
        quantity("expected_force_minutes", "expected forces (min)", ".2f"),
        quantity("expected_bte_minutes", "expected RTA, all test meshes (min)", ".2f"),
        quantity("expected_lbte_minutes", "expected LBTE (min)", ".2f"),
        quantity("expected_memory", "expected memory (GiB)", ".1f"),
        "error",
    )
    list_filter = ("state", "symmetry_kept", "dimensionality", "candidate__campaign")
    list_select_related = ("candidate__campaign",)


@admin.register(PhononResult)
class PhononResultAdmin(ReadOnlyAdmin):
    """Phonons: of plans, and of force sets that somebody brought."""

    list_display = (
        "id",
        "source",
        "primitive",
        "dynamical",
        quantity("lowest_mesh", "lowest on the mesh (THz)", ".2f"),
        quantity("lowest_path", "lowest on the path (THz)", ".2f"),
        "nac",
        quantity("seconds", "time (s)", ".1f"),
    )
    list_filter = ("dynamical", "nac")
    list_select_related = ("primitive",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhononResult]:
        return super().get_queryset(request).defer("bands", "dos", "cumulative")


@admin.register(PhononFile)
class PhononFileAdmin(ReadOnlyAdmin):
    """Force constants and forces."""

    list_display = ("phonons", "kind", "artifact")
    list_select_related = ("phonons__primitive", "artifact")


@admin.register(KappaTensor)
class KappaTensorAdmin(ReadOnlyAdmin):
    """κ_L by one method."""

    list_display = (
        "id",
        "candidate",
        "method",
        quantity("largest", "largest principal κ_L (W/(m·K))", ".0f"),
        quantity("temperature", "temperature (K)", "g"),
        "mesh",
        "mesh_rule",
        quantity("mesh_length", "mesh length (Å)", ".1f"),
        quantity("change", "change by the last step (share)", ".3f"),
        quantity("error", "error of the mesh (share)", ".2f"),
        "converged",
        "isotopes",
        quantity("boundary", "boundary (µm)", "g"),
        "rankable",
        "label",
    )
    list_filter = ("method", "rankable", "converged", "mesh_rule", "isotopes", "candidate__campaign")
    list_select_related = ("candidate__campaign",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[KappaTensor]:
        return super().get_queryset(request).defer("kappa", "principal_by_temperature", "mesh_steps")


@admin.register(KappaSpread)
class KappaSpreadAdmin(ReadOnlyAdmin):
    """κ_L by one member of the committee."""

    list_display = ("plan", "member", quantity("largest", "largest (W/(m·K))", ".0f"), "dynamical", "note")
    list_select_related = ("plan__candidate__campaign", "member__committee__campaign")


@admin.register(Validation)
class ValidationAdmin(ReadOnlyAdmin):
    """Validations by DFT."""

    list_display = (
        "candidate",
        "part",
        "state",
        "verdict",
        quantity("deviation", "deviation of the bands (THz)", ".2f"),
        quantity("lowest", "lowest frequency (THz)", ".2f"),
        quantity("gap", "smallest gap (eV)", ".2f"),
        "requested_by",
        "error",
    )
    list_filter = ("part", "state", "verdict", "candidate__campaign")
    list_select_related = ("candidate__campaign", "requested_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Validation]:
        return super().get_queryset(request).defer("overlay", "dataset")


@admin.register(KappaStudy)
class KappaStudyAdmin(ReadOnlyAdmin):
    """Convergence studies."""

    list_display = ("id", "candidate", "parameter", "values", "state", "requested_by", "created_at", "cancelled_by")
    list_filter = ("parameter", "state", "candidate__campaign")
    list_select_related = ("candidate__campaign", "requested_by", "cancelled_by")


@admin.register(StudyPoint)
class StudyPointAdmin(ReadOnlyAdmin):
    """κ_L of one value of a convergence study."""

    list_display = (
        "study",
        quantity("value", "value (Å, or repetitions)", "g"),
        "state",
        "principal",
        "mesh",
        "dynamical",
        quantity("seconds", "time (s)", ".1f"),
        "error",
    )
    list_filter = ("state", "study__parameter", "study__candidate__campaign")
    list_select_related = ("study__candidate__campaign",)
