"""What a library does to the interpreter at its import must not reach the programs that read strangers' texts."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_fits_leaves_the_recursion_limit_as_it_was() -> None:
    """symfc raises it to 100,000, with which a deeply nested JSON text ends the process."""
    told = "print(limit == sys.getrecursionlimit())"
    code = f"import sys; limit = sys.getrecursionlimit(); import kappakit.force_constants; {told}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
