"""`manage.py summaries_rebuild`: write every candidate's summary anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.reviews.services import summaries_rebuild


class Command(BaseCommand):
    """Derived rows follow their sources by themselves; this is for after a restore or a change of the columns."""

    help = "Write every candidate's summary anew."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild and say how many."""
        self.stdout.write(f"{summaries_rebuild()} summaries written")
