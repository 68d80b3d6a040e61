"""A first look at an XML file from a stranger, before anything that builds a tree reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from kappakit.errors import InputError

MAX_BYTES = 500 * 2**20
MAX_DEPTH = 40
"""Of vasprun.xml's elements; real files have 12."""
CHUNK = 2**20
PACKED = (".gz", ".bz2", ".xz", ".lzma", ".z", ".zst")
"""Names that pymatgen would unpack by itself, to any size."""


@dataclass
class Outline:
    """What the file holds: whether it ends as a finished run does, and how many ionic steps it has.

    A target of an XML parser; it keeps no text and no tree.
    """

    root: str = ""
    calculations: int = 0
    finished: bool = False
    _open: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            raise InputError(f"the file nests {MAX_DEPTH} elements: that is no vasprun.xml")
        if tag == "structure" and attributes.get("name") == "finalpos":
            self.finished = True

    def end(self, tag: str) -> None:
        self._open.pop()
        self.calculations += tag == "calculation"

    def data(self, text: str) -> None:
        """Numbers are pymatgen's part."""

    def close(self) -> Outline:
        return self


def outline(path: Path) -> Outline:
    """Read the file once in pieces. Raises InputError for what is too large, packed, not XML, cut off, or declares
    entities or a document type (no vasprun.xml does; they are how a small file becomes gigabytes)."""
    if path.suffix.lower() in PACKED:
        raise InputError(f"{path.name} is packed: unpack it and upload vasprun.xml itself")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"the file has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} are read")
    seen = _parse(path)
    if seen.root != "modeling":
        raise InputError(f"this is no vasprun.xml: its outermost element is {seen.root!r}, not 'modeling'")
    return seen


def _parse(path: Path) -> Outline:
    seen = Outline()
    parser = DefusedXMLParser(target=seen, forbid_dtd=True)
    try:
        with path.open("rb") as pieces:
            while piece := pieces.read(CHUNK):
                parser.feed(piece)
        parser.close()
    except DefusedXmlException as error:
        raise InputError("the file declares a document type or entities, which no vasprun.xml does") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InputError(f"the file is not whole: it is cut off or no XML ({error})") from error
    return seen
