"""The ranked table as a table of a terminal."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from apps.reviews.tables import RankedRow, RankedTable

COLUMNS = (
    "#", "κ_L W/(m·K)", "principal values W/(m·K)", "converged", "largest along", "space group", "N", "known as",
    "trust",
)  # fmt: skip
MARK = "Below the line: the mesh is not converged, or was not tested for convergence."


def print_ranked(table: RankedTable, console: Console) -> None:
    """Print the ranked table, the layered crystals apart, and what was left out and why.

    A line divides the crystals whose mesh converged from the others. The words that all trust labels of a table have
    in common stand below it."""
    head = (
        f"κ_L at {table.temperature:g} K by {table.method} ({table.method_title}), ultrahigh above {table.ultrahigh:g}"
    )
    for warning in table.warnings:
        console.print(f"Careful: {warning}", style="bold red", highlight=False)
    for alarm in table.alarms:
        console.print(f"Too good to be true? {alarm}", style="bold red", highlight=False)
    _print(head, table.rows, console, table.mesh_note)
    if table.layered:
        title = f"Layered and molecular crystals, {table.method}, a list of their own"
        _print(title, table.layered, console, table.layered_mesh_note)
    console.print(left_out_line(table), highlight=False)


def left_out_line(table: RankedTable) -> str:
    """'Not ranked: 2 imaginary, 1 waiting.'"""
    counts = {name.replace("_", " "): count for name, count in asdict(table.left_out).items() if count}
    if not counts:
        return "Nothing was left out."
    return "Not ranked: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + "."


def shared_words(rows: tuple[RankedRow, ...]) -> tuple[str, ...]:
    """The words that every trust label holds, in the first one's order."""
    return tuple(word for word in rows[0].label if all(word in row.label for row in rows)) if rows else ()


def _print(title: str, rows: tuple[RankedRow, ...], console: Console, note: str) -> None:
    shared = shared_words(rows)
    console.print(_table(title, rows, shared))
    if not all(row.converged for row in rows):
        console.print(MARK if any(row.converged for row in rows) else MARK.replace("Below the line", "All"))
    if note:
        console.print(note, highlight=False)
    if shared:
        console.print(f"Trust, of all above: {' · '.join(shared)}", highlight=False)


def _table(title: str, rows: tuple[RankedRow, ...], shared: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in COLUMNS[:3] or column == "N" else "left")
    converged = sum(bool(row.converged) for row in rows)
    for row in rows:
        at_the_mark = row.rank == converged < len(rows)
        table.add_row(*_cells(row, shared), style="bold" if row.ultrahigh else None, end_section=at_the_mark)
    return table


def _cells(row: RankedRow, shared: tuple[str, ...]) -> tuple[str, ...]:
    principal = " / ".join(f"{value:.0f}" for value in row.principal)
    group = f"{row.space_group} ({row.space_group_number})"
    name = row.known_as or row.novelty
    return (
        str(row.rank),
        f"{row.largest:.0f}",
        principal,
        row.convergence,
        row.uvw[0],
        group,
        str(row.n_primitive),
        name,
        " · ".join(word for word in row.label if word not in shared) or "as all",
    )
