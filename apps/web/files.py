"""Downloads."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse

from apps.artifacts import services as artifacts
from apps.reviews.selectors.programs import artifact_visible


def attachment(text: str, name: str, content_type: str) -> HttpResponse:
    """A file made of text."""
    return HttpResponse(
        text, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def stored_file(user: Any, sha256: str, name: str) -> FileResponse:
    """A stored file that the user may see, under `name`; its digest is the ETag. Raises NotThere."""
    artifact = artifact_visible(user, sha256)
    response = FileResponse(artifacts.path(artifact).open("rb"), as_attachment=True, filename=name)
    response["ETag"] = f'"{sha256}"'
    return response
