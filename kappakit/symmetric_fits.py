"""symfc's basis sets and solvers, without what its import does to the interpreter.

symfc raises Python's recursion limit to 100,000 where it is imported; with so high a limit a deeply nested JSON text
overflows the C stack and ends the process instead of raising RecursionError.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()
from symfc.basis_sets import FCBasisSetO2, FCBasisSetO3  # noqa: E402
from symfc.solvers import FCSolverO2  # noqa: E402
from symfc.utils.utils import SymfcAtoms  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = ["FCBasisSetO2", "FCBasisSetO3", "FCSolverO2", "SymfcAtoms"]
