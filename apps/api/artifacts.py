"""Files by content: what they are, and their bytes, which never change."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseNotModified
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.listing import ApiView
from apps.api.records import ArtifactSerializer
from apps.api.rendering import FileRenderer
from apps.artifacts.services import path
from apps.reviews.selectors.programs import artifact_visible

IMMUTABLE = "private, max-age=31536000, immutable"


class ArtifactView(ApiView):
    """A file that never changes."""

    @extend_schema(responses=ArtifactSerializer)
    def get(self, request: Request, sha256: str) -> Response:
        """What it is; 404 unless something that you may see holds it."""
        return Response(ArtifactSerializer(artifact_visible(request.user, sha256)).data)


class ArtifactFileView(ApiView):
    """The bytes of a file."""

    renderer_classes = [FileRenderer]

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, 304: None})
    def get(self, request: Request, sha256: str) -> Any:
        """Its sha256 is its address and its ETag."""
        return download(request, artifact_visible(request.user, sha256))


def download(request: Request, artifact: Any) -> HttpResponse | FileResponse:
    """The bytes as an attachment; 304 to who has them."""
    etag = f'"{artifact.sha256}"'
    fresh = etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    answer = HttpResponseNotModified() if fresh else _attachment(artifact)
    answer["ETag"], answer["Cache-Control"] = etag, IMMUTABLE
    return answer


def _attachment(artifact: Any) -> FileResponse:
    name = artifact.name or f"{artifact.kind}-{artifact.sha256[:12]}"
    file = path(artifact).open("rb")
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/octet-stream")
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
