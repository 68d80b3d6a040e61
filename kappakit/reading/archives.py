"""Zip archives of such files. Nothing is unpacked to the disk: names in an archive only name, they are never a path."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from kappakit.errors import Rejected
from kappakit.reading.formats import CHUNK, GZIP, format_of, text_frames
from kappakit.reading.frames import READER_ERRORS, CrystalFrame, FrameTimeout, refused
from kappakit.reading.limits import Limits

LONGEST_NAME = 80
"""Characters of a member's name; the archive's name, this and a position fit where sources are kept."""
ENCRYPTED = 0x1
ZIP = b"PK\x03\x04"
PACKED = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those that unpack piece by piece; others make much out of little before anyone counts."""


@dataclass
class _Allowance:
    """Bytes that may still be unpacked; the real ones are counted, for headers lie."""

    total: int
    left: int

    def read(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
        """A member's content; raises Rejected when the archive holds more than is allowed."""
        parts = []
        with archive.open(member) as stream:
            while part := stream.read(min(CHUNK, self.left + 1)):
                self.left -= len(part)
                if self.left < 0:
                    told = f"the archive holds more than {self.total / 2**20:.0f} MiB: nothing is read from here on"
                    raise Rejected("too-large", told)
                parts.append(part)
        return b"".join(parts)


def archive_frames(path: Path, limits: Limits) -> Iterator[CrystalFrame]:
    """The frames of all members in order, their place '/member#position'.

    A member that cannot be read is a frame that raises why. Raises Rejected for what is no archive, has no member or
    more than max_members.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise Rejected("unreadable", f"this is no zip archive, or it is damaged: {error}"[:300]) from error
    with archive:
        members = [member for member in archive.infolist() if not _is_clutter(member)]
        if not members:
            raise Rejected("no-crystal", "the archive holds no file")
        if len(members) > limits.max_members:
            raise Rejected("too-many-members", f"{len(members):,} files in one archive; {limits.max_members:,} at most")
        allowance = _Allowance(limits.max_bytes, limits.max_bytes)
        for member, name in zip(members, _names(member.filename for member in members), strict=True):
            yield from _member_frames(archive, member, name, allowance)
            if allowance.left < 0:
                return


def _is_clutter(member: zipfile.ZipInfo) -> bool:
    """Folders, and the hidden files that file managers leave."""
    parts = [part for part in _path(member.filename).parts if part not in (".", "..")]
    return member.is_dir() or not parts or any(part == "__MACOSX" or part.startswith(".") for part in parts)


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))


def _names(names: Iterable[str]) -> Iterator[str]:
    """Names to show: printable, short, without the mark of a position, each only once."""
    taken: Counter[str] = Counter()
    for name in names:
        plain = "".join(c for c in str(_path(name)) if c.isprintable()).replace("#", "_").lstrip("/")
        short = plain if len(plain) <= LONGEST_NAME else "…" + plain[1 - LONGEST_NAME :]
        shown = short
        while taken[shown]:
            taken[short] += 1
            shown = f"{short} ({taken[short]})"
        taken[shown] += 1
        yield shown


def _member_frames(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, allowance: _Allowance
) -> Iterator[CrystalFrame]:
    position = 1
    try:
        kind = _kind(member)
        content = allowance.read(archive, member)
        if content.startswith((GZIP, ZIP)):
            raise _nested(member)
        for frame in text_frames(kind, content.decode("utf-8", errors="replace")):
            yield replace(frame, place=f"/{name}#{position}")
            position += 1
    except (Rejected, FrameTimeout, *READER_ERRORS) as error:
        yield refused("", error, f"/{name}#{position}")


def _kind(member: zipfile.ZipInfo) -> str:
    """The format of a member; raises Rejected for what is not taken from an archive."""
    base = _path(member.filename).name
    if base.lower().endswith(PACKED):
        raise _nested(member)
    kind = format_of(base)
    if kind == "db":
        raise Rejected("unknown-format", f"{base} is a database: give it on its own, not in an archive")
    if member.flag_bits & ENCRYPTED:
        raise Rejected("encrypted", f"{base} is encrypted: pack it without a password")
    if member.compress_type not in METHODS:
        raise Rejected("unreadable", f"{base} is packed by a method that is not taken: pack it as an ordinary zip")
    return kind


def _nested(member: zipfile.ZipInfo) -> Rejected:
    base = _path(member.filename).name
    return Rejected(
        "nested-archive", f"{base} is packed once more inside the archive: only plain files are taken from it"
    )
