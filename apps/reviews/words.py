"""How convergence and meshes of κ_L read in lists: one wording for page, terminal, REST and admin. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from apps.conductivity.trust import THIN, MeshWords

NOT_TESTED = "not tested"
ESTIMATE = "κ_L estimate before computing"
"""What `promise` is called wherever it stands; W/(m·K)."""
SAME_LENGTH = 0.02
"""Share by which mesh lengths may differ before a table says so."""


def convergence_words(change: float | None, error: float | None, converged: bool | None) -> str:
    """'1.8 % (±6 %)', 'no: 9.1 % (±40 %)' where the test was not passed, 'not tested'; shares of the value."""
    if converged is None or change is None or error is None:
        return NOT_TESTED
    said = f"{percent(change)} (±{percent(error)})"
    return said if converged else f"no: {said}"


def percent(share: float) -> str:
    """'1.8 %' of 0.018, without its sign."""
    value = 100 * abs(share)
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.2g} %"


def worst_change(change: float | None, changes: Sequence[float] | None) -> float | None:
    """The largest of what a mesh's last step changed, as the trust label says it; None: not tested."""
    told = [abs(value) for value in (change, *(changes or ())) if value is not None]
    return max(told, default=None)


def mesh_words(numbers: Sequence[int], rule: str, length: float | None) -> str:
    """The label's words: 'mesh of 25.8 Å (7×7×7)', 'mesh 10×10×10'."""
    return MeshWords(numbers=numbers, rule=rule, length=length).words


def thin_words(label: Sequence[str]) -> str:
    """The label's word on a direction that is sampled more coarsely than meant, '' without one."""
    return next((word for word in label if word.startswith(THIN.partition(":")[0])), "")


def lengths_words(lengths: Sequence[float | None]) -> str:
    """'Meshes of 25.1 to 39.1 Å: …' where they differ by more than SAME_LENGTH, else ''."""
    known = [length for length in lengths if length is not None]
    if not known or max(known) <= min(known) * (1 + SAME_LENGTH):
        return ""
    between = f"{min(known):.3g} to {max(known):.3g} Å"
    return (
        f"Meshes of {between}: one that is tested is refined until κ_L converges or the time is up; compare values "
        "within their errors."
    )
