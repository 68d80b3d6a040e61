"""Structures, κ_L tensors, jobs."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import records, rows
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.rendering import TextRenderer
from apps.jobs.selectors import why_waiting
from apps.reviews.selectors import programs
from apps.reviews.selectors.parts import structure_facts
from kappakit import writing


class StructureFilter(filters.FilterSet):
    """Query of structures."""

    digest = filters.CharFilter(label="sha256 of the geometry")
    formula = filters.CharFilter(lookup_expr="iexact", label="formula")
    chemical_system = filters.CharFilter(label="elements by alphabet, e.g. B-N")
    n_atoms_max = filters.NumberFilter("n_atoms", lookup_expr="lte", label="atoms at most")


class StructureListView(ListView):
    """Geometries of the campaigns that you may see, and of the reference crystals."""

    item = rows.StructureRowSerializer
    sorts = {"id": Sort("pk"), "n_atoms": Sort("n_atoms"), "density": Sort("density"), "formula": Sort("formula")}
    filterset = StructureFilter

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Visible ones, without their atoms."""
        return programs.structures_visible(self.request.user).defer("cell", "frac", "numbers")


class StructureView(ApiView):
    """A geometry."""

    @extend_schema(responses=rows.StructureSerializer)
    def get(self, request: Request, structure: int) -> Response:
        """With lattice and sites."""
        return Response(rows.StructureSerializer(structure_facts(_structure(request, structure))).data)


class StructureFileView(ApiView):
    """A geometry as a file."""

    renderer_classes = [TextRenderer]
    form = ""

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, structure: int) -> HttpResponse:
        """CIF, POSCAR or extended XYZ, written on request."""
        facts = structure_facts(_structure(request, structure))
        name = f"{facts.formula}-{facts.digest[:8]}"
        text = WRITERS[self.form](facts.crystal, name)
        disposition = f'attachment; filename="{name}.{ENDINGS[self.form]}"'
        return HttpResponse(
            text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": disposition}
        )


WRITERS = {
    "cif": writing.cif,
    "poscar": writing.poscar,
    "extxyz": lambda crystal, name: writing.extxyz(crystal, {"name": name}),
}
ENDINGS = {"cif": "cif", "poscar": "vasp", "extxyz": "extxyz"}


class TensorFilter(filters.FilterSet):
    """Query of κ_L tensors."""

    campaign = filters.NumberFilter("candidate__campaign", label="campaign (number)", min_value=1)
    candidate = filters.NumberFilter(label="candidate (number)", min_value=1)
    method = filters.ChoiceFilter(choices=[("RTA", "RTA"), ("LBTE", "LBTE")], label="method")
    rankable = filters.BooleanFilter(label="stable, symmetry kept, three-dimensional")
    largest_min = filters.NumberFilter("largest", lookup_expr="gte", label="κ_L at least, W/(m·K)")


class TensorListView(ListView):
    """κ_L of the campaigns that you may see, each with method, mesh, potential and trust label."""

    item = rows.TensorRowSerializer
    sorts = {"id": Sort("pk"), "largest": Sort("largest"), "created_at": Sort("created_at")}
    filterset = TensorFilter

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Visible ones, without κ_L(T)."""
        return programs.tensors_visible(self.request.user)


class TensorView(ApiView):
    """A κ_L tensor."""

    @extend_schema(responses=rows.TensorSerializer)
    def get(self, request: Request, tensor: int) -> Response:
        """κ_L(T), principal values and their directions."""
        found = programs.tensors_visible(request.user).defer(None).filter(pk=tensor).first()
        return Response(rows.TensorSerializer(_there(found)).data)


class JobFilter(filters.FilterSet):
    """Query of jobs."""

    group = filters.CharFilter(label="who asked: step:ID, training:ID, assessment:ID, export:ID, kappa:ID")
    state = filters.ChoiceFilter(
        choices=[(name, name.lower()) for name in ("QUEUED", "RUNNING", "WAITING", "DONE", "FAILED", "CANCELLED")],
        label="state",
    )
    kind = filters.CharFilter(label="name of the stage")


class JobListView(ListView):
    """Jobs of the campaigns that you may see, and of trainings."""

    item = records.JobRowSerializer
    default_sort = "-id"
    filterset = JobFilter

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Visible ones."""
        return programs.jobs_visible(self.request.user)


class JobView(ApiView):
    """A job."""

    @extend_schema(responses=records.JobSerializer)
    def get(self, request: Request, job: int) -> Response:
        """With its attempts and why it waits."""
        found = _there(programs.jobs_visible(request.user).filter(pk=job).first())
        row = {name: getattr(found, name) for name in records.JobRowSerializer().fields}
        more = {"attempts": programs.attempts_of(found), "why_waiting": why_waiting(found)}
        return Response(records.JobSerializer(row | more).data)


def _structure(request: Request, structure: int) -> Any:
    return _there(programs.structures_visible(request.user).filter(pk=structure).first())


def _there(found: Any) -> Any:
    if found is None:
        raise Http404
    return found
