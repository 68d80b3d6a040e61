"""The ranked table as a table of a terminal."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from apps.reviews.tables import RankedRow, RankedTable

COLUMNS = ("#", "κ_L W/(m·K)", "principal values W/(m·K)", "largest along", "space group", "N", "known as", "potential")


def print_ranked(table: RankedTable, console: Console) -> None:
    """Print the ranked table, the layered crystals apart, and what was left out and why."""
    head = (
        f"κ_L at {table.temperature:g} K by {table.method} ({table.method_title}), ultrahigh above {table.ultrahigh:g}"
    )
    for warning in table.warnings:
        console.print(f"Careful: {warning}", style="bold red", highlight=False)
    console.print(_table(head, table.rows))
    if table.layered:
        console.print(_table(f"Layered and molecular crystals, {table.method}, a list of their own", table.layered))
    console.print(left_out_line(table), highlight=False)


def left_out_line(table: RankedTable) -> str:
    """'Not ranked: 2 imaginary, 1 waiting.'"""
    counts = {name.replace("_", " "): count for name, count in asdict(table.left_out).items() if count}
    if not counts:
        return "Nothing was left out."
    return "Not ranked: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + "."


def _table(title: str, rows: tuple[RankedRow, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in COLUMNS[:3] or column == "N" else "left")
    for row in rows:
        table.add_row(*_cells(row), style="bold" if row.ultrahigh else None)
    return table


def _cells(row: RankedRow) -> tuple[str, ...]:
    principal = " / ".join(f"{value:.0f}" for value in row.principal)
    group = f"{row.space_group} ({row.space_group_number})"
    name = row.known_as or row.novelty
    return (
        str(row.rank),
        f"{row.largest:.0f}",
        principal,
        row.uvw[0],
        group,
        str(row.n_primitive),
        name,
        row.potential,
    )
