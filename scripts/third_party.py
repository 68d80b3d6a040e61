"""Write THIRD-PARTY.md: what the program ships or installs, each with version and licence."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Third-party software

Written by `python scripts/third_party.py` from what is installed. The licences' texts lie with each Python package
(`*.dist-info`) and, for what the pages load, in `static/vendor/THIRD-PARTY.txt`, made by `make static`.

Data that come with the program, with their origins and licences (CC BY 4.0: crystals of Carbon-24 and DFT labels of
carbon), are listed in `kappakit/data/README.md`.
"""

APART = """
## Apart, only where `make dft` was run

Programs of their own in an environment of their own (`var/dft`), started and never imported or shipped: GPAW 26.7.0 and
its PAW data sets gpaw-data 1.2.1 (GPL-3.0-or-later), ase 3.29.0 (LGPL-2.1-or-later), spglib 2.8.0 (BSD-3-Clause), and
Debian's libxc (MPL-2.0), FFTW (GPL-2.0-or-later), OpenBLAS (BSD-3-Clause). All pins: `constraints-dft.txt`."""


def python_rows(root: str = "kappaweb") -> list[tuple[str, str, str]]:
    """(name, version, licence) of everything that `root` requires, without its extras."""
    found: dict[str, tuple[str, str, str]] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = (distribution.metadata["Name"], distribution.version, licence(distribution))
        waiting += [_name(line) for line in distribution.requires or () if "extra ==" not in line]
    return sorted(row for name, row in found.items() if name != root)


def licence(distribution: metadata.Distribution) -> str:
    """The SPDX expression, else the classifier, else the first line of the field."""
    facts = distribution.metadata
    classifiers = [c.rpartition(" :: ")[2] for c in facts.get_all("Classifier") or () if c.startswith("License ::")]
    stated = facts.get("License-Expression") or ", ".join(classifiers) or (facts.get("License") or "").split("\n")[0]
    return stated or "see its text"


def script_rows() -> list[tuple[str, str, str]]:
    """(name, version, licence) of the npm packages inside the built files."""
    rows = json.loads((ROOT / "static" / "vendor" / "packages.json").read_text())
    return [(row["name"], row["version"], row["license"]) for row in rows]


def table(rows: list[tuple[str, str, str]]) -> str:
    """A Markdown table."""
    return "\n".join(["| package | version | licence |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def _name(requirement: str) -> str:
    return re.split(r"[ ;<>=!~\[(]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def main() -> None:
    """Write the file."""
    parts = [HEAD, "## Inside the pages\n", table(script_rows()), "\n## Python\n", table(python_rows()), APART]
    (ROOT / "THIRD-PARTY.md").write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
