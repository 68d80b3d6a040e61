"""Content types that the views of files accept to be asked for."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer


class TextRenderer(BaseRenderer):
    """Plain text; problems still come as JSON."""

    media_type = "text/plain"
    format = "text"
    charset: str | None = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Only problems come by here: files are answered as they are."""
        return JSONRenderer().render(data)


class FileRenderer(TextRenderer):
    """Any bytes."""

    media_type = "application/octet-stream"
    format = "file"
    charset = None
