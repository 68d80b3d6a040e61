"""What every page's frame shows beside the page itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest

from apps.dft.selectors.pages import waiting_count


def approvals(request: HttpRequest) -> dict[str, Any]:
    """How many DFT calculations wait for the person; asked for only where a template shows it, by one query."""
    return {"approvals_waiting": partial(waiting_count, request.user)}
