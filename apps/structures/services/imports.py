"""Files that people give to a campaign."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from django.db import transaction

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign, Step
from apps.campaigns.permissions import permit
from apps.core.errors import ApplicationError, Conflict
from apps.structures.models import Import

LONGEST_NAME = 200
STEP = "import_structures"
PACKED = (".gz", ".bz2", ".xz")


class FileRefused(ApplicationError):
    """A file that cannot be taken as it is."""

    code = "file_refused"
    status = 400


@transaction.atomic
def import_file_add(*, campaign: Campaign, file_name: str, content: Path, user: Any) -> Import:
    """Keep a file for the campaign's import; the same content again is the same Import.

    Raises FileRefused for an empty file or name, Conflict once the import has begun.
    """
    permit(user, "operate", campaign)
    name = _plain_name(file_name)
    if not content.stat().st_size:
        raise FileRefused(f"The file {name} is empty.", detail={"file": "is empty"})
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    if Step.objects.filter(campaign=campaign).exists():
        raise Conflict("The campaign has begun: clone it to import another file.")
    artifact = artifacts.store(content, kind="import", name=name)
    given, _ = Import.objects.get_or_create(
        campaign=campaign, artifact=artifact, defaults={"file_name": _free_name(campaign, name), "uploaded_by": user}
    )
    return given


def _plain_name(file_name: str) -> str:
    """The last part of a path, printable, without the mark that separates a position from it."""
    last = PurePosixPath(file_name.replace("\\", "/")).name
    plain = "".join(c for c in last if c.isprintable()).replace("#", "_").strip()[-LONGEST_NAME:]
    if not plain:
        raise FileRefused("The file has no name.", detail={"file": "has no name"})
    return plain


def _free_name(campaign: Campaign, name: str) -> str:
    """Sources name the file, so two files of a campaign never share a name."""
    taken = set(Import.objects.filter(campaign=campaign).values_list("file_name", flat=True))
    ending = "".join(PurePosixPath(name).suffixes[-2:]) if name.endswith(PACKED) else PurePosixPath(name).suffix
    stem = name.removesuffix(ending)
    numbered = (f"{stem} ({number}){ending}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(free for free in numbered if free not in taken)
