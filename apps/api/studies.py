"""Convergence studies of a candidate: κ_L against one number of its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.facts import Quantity, WithUnits, serializer_of
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.rows import moment
from apps.api.strictness import StrictSerializer
from apps.api.units import STUDIED
from apps.conductivity import services
from apps.conductivity.selectors.studies import studies_visible, study_get
from apps.conductivity.selectors.study_facts import StudyFacts, study_facts
from apps.conductivity.study_values import FEWEST, MOST, PARAMETERS
from apps.structures.selectors import candidate_get


class StudyRowSerializer(s.Serializer):
    """A convergence study, without its points."""

    id = s.IntegerField()
    candidate = s.IntegerField(source="candidate_id")
    parameter = s.ChoiceField(choices=PARAMETERS)
    values = s.ListField(child=Quantity(STUDIED), help_text=f"ascending; {STUDIED}")
    state = s.CharField(help_text="RUNNING, DONE (no point is to be computed any more), CANCELLED")
    requested_by = s.CharField(source="requested_by.username")
    created_at = s.DateTimeField()
    finished_at = moment()


class StudySerializer(serializer_of(StudyFacts), WithUnits):  # type: ignore[misc]
    """A convergence study with κ_L of every point, and how far each is."""


class NewStudySerializer(StrictSerializer):
    """Values in the parameter's own unit: Å, or repetitions where the protocol's supercells repeat."""

    parameter = s.ChoiceField(choices=PARAMETERS)
    values = s.ListField(
        child=s.FloatField(), min_length=FEWEST, max_length=MOST, help_text="within the bounds of the protocol's field"
    )


class CandidateStudiesView(ListView):
    """The convergence studies of a candidate."""

    item = StudyRowSerializer
    sorts = {"id": Sort("pk"), "created_at": Sort("created_at")}
    default_sort = "-id"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Of the candidate."""
        return studies_visible(self.request.user).filter(candidate=candidate_get(self.request.user, where["candidate"]))

    @extend_schema(request=NewStudySerializer, responses={202: StudySerializer})
    def post(self, request: Request, candidate: int) -> Response:
        """Compute κ_L (RTA) for each value, a job for each; needs the role operator. 409 for a crystal without a plan
        or with imaginary modes, and while a study of this parameter runs."""
        asked = self.body(NewStudySerializer)
        found = candidate_get(request.user, candidate)
        made = services.study_start(candidate=found, user=request.user, **asked)
        return Response(_told(made), status=202)


class StudyView(ApiView):
    """A convergence study."""

    @extend_schema(responses=StudySerializer)
    def get(self, request: Request, study: int) -> Response:
        """Its points with κ_L, mesh, supercells and time, and what is still expected."""
        return Response(_told(study_get(request.user, study)))


class StudyMoveView(ApiView):
    """Cancelling a convergence study, and trying its failed and cancelled points again."""

    move = ""

    @extend_schema(request=None, responses={202: StudySerializer})
    def post(self, request: Request, study: int) -> Response:
        """Needs the role operator; points that are done stay. Any body is ignored."""
        moved = MOVES[self.move](study=study_get(request.user, study), user=request.user)
        return Response(_told(moved), status=202)


MOVES: dict[str, Callable[..., Any]] = {"cancel": services.study_cancel, "retry": services.study_retry}


def _told(study: Any) -> dict[str, Any]:
    (facts,) = study_facts([study])
    return StudySerializer(facts).data
