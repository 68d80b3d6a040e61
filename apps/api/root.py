"""What an address of the API answers that is none."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


@extend_schema(exclude=True)
class NowhereView(APIView):
    """Any other address."""

    authentication_classes = ()
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse every method alike."""
        raise NotFound("This is no address of the API. All end with a slash; /api/v1/schema/ lists them.")

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Never reached: initial refuses first."""
        raise NotFound
