"""Write kappakit/data/carbon_dft.extxyz.gz: `python scripts/shipped_labels.py SOURCE`, a labelled extended XYZ (.gz).

Every frame gets the digest of the method that labelled it, as GPAW's engine would write it with the same versions.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from kappakit.dft import method_digest, method_of
from kappakit.labels import shipped_labels
from kappakit.protocol import DftSettings

SETTINGS = DftSettings(engine="gpaw", k_spacing=0.4, spin=False)
"""All else as the protocol's defaults: optB88-vdW, 600 eV, Fermi–Dirac 0.05 eV."""
VERSION = "gpaw 26.7.0"
PAW = "gpaw-data 1.2.1 PBE, sha256 18cef8d12a177202324b1a947c292ee45529d883af3f5e10a285b0dc44d81630"


def with_method(text: str, digest: str) -> str:
    """The frames' comment lines with method=digest; nothing else changes."""
    return text.replace(" kind=", f" method={digest} kind=")


def main(source: Path) -> None:
    digest = method_digest(method_of(SETTINGS, engine_version=VERSION, paw=PAW))
    text = with_method(gzip.decompress(source.read_bytes()).decode(), digest)
    shipped_labels().write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(digest, text.count(" method="), "frames")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
