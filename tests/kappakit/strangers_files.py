"""What the tests of reading share: crystals as files of other programs, and how to read files at once."""

from __future__ import annotations

from pathlib import Path

from kappakit import writing
from kappakit.reading import Limits, ReadCrystal, ReadRefusal, read_files
from kappakit.reference import reference_crystals

DIAMOND = reference_crystals()["diamond"].crystal
GOOD = writing.extxyz(DIAMOND, {"name": "good"})
QUICK = Limits(frame_seconds=1.0, max_bytes=2**20)

AIRSS_DIAMOND = """TITL C-61524-8467-12 0.0439 11.3398 -3.12839401E+002 0.00 0.00 2 (Fd-3m) n - 1
REM
REM Run started: Wed, 09 Sep 2020 06:35:39 +0100
REM Cut-off 340.0000 eV Grid scale 1.7500 Gmax 16.5316 1/A FBSC none
CELL 1.54180    2.52176    2.52176    2.52176   60.00000   60.00000   60.00000
LATT -1
SFAC C
C      1  0.0000000000000  0.0000000000000  0.0000000000000 1.0   0.04
C      1  0.2500000000000  0.2500000000000  0.2500000000000 1.0  -0.04
END
"""
AIRSS_BORON_NITRIDE = """TITL BN-7 0.0 23.64 -701.2 0 0 4 (P63mc) n - 3
CELL 1.54180 2.5214 2.5214 4.1174 90 90 120
LATT -1
SFAC B N
B 1 0.3333333333 0.6666666667 6.25e-02 1.0
B 1 0.6666666667 0.3333333333 0.5625 1.0
N 2 0.3333333333 0.6666666667 0.4375 1.0
N 2 0.6666666667 0.3333333333 0.9375 1.0
END
"""
USPEX_DIAMOND = """EA12 2.522 2.522 2.522 60.00 60.00 60.00 Sym.group:  227
1.0
     1.783150     1.783150     0.000000
     1.783150     0.000000     1.783150
     0.000000     1.783150     1.783150
   C
   2
Direct
     0.000000     0.000000     0.000000
     0.250000     0.250000     0.250000
"""
USPEX_LONSDALEITE = """EA33 2.521 2.521 4.117 90.00 90.00 120.00 no SG
1.0
     2.521400     0.000000     0.000000
    -1.260700     2.183597     0.000000
     0.000000     0.000000     4.117400
   C
   4
Direct
     0.333333     0.666667     0.062500
     0.666667     0.333333     0.562500
     0.333333     0.666667     0.437500
     0.666667     0.333333     0.937500
"""


def read(
    folder: Path, files: dict[str, bytes | str], limits: Limits = QUICK
) -> tuple[dict[str, ReadCrystal], dict[str, ReadRefusal]]:
    """Write the files, read them all at once; crystals and refusals by source."""
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    crystals, refusals = read_files([(name, folder / name) for name in files], limits)
    return {c.source: c for c in crystals}, {r.source: r for r in refusals}
