"""Export: a table of crystals as one file that somebody takes home."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ase.data import chemical_symbols
from ase.db import connect
from ase.db.core import reserved_keys

from kappakit.errors import InputError
from kappakit.ports import Engines
from kappakit.stages.contracts import ExportInputs, ExportOutputs, Item
from kappakit.stages.table import NoSettings
from kappakit.writing import atoms_of, cif, extxyz

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip file can hold: the same content gives the same bytes."""


def run(inputs: ExportInputs, settings: NoSettings, *, engines: Engines) -> ExportOutputs:
    """Write the table in its format; raises InputError for an unknown format and for rows that do not fit."""
    if inputs.format not in WRITERS:
        raise InputError(f"{inputs.format} is no export format; known are {', '.join(WRITERS)}")
    _check(inputs)
    path = Path(FILE_NAMES[inputs.format])
    path.unlink(missing_ok=True)
    WRITERS[inputs.format](inputs, path)
    engines.progress(len(inputs.rows), len(inputs.rows), f"{len(inputs.rows)} rows written")
    return ExportOutputs(str(path), len(inputs.rows), hashlib.sha256(path.read_bytes()).hexdigest())


def _check(inputs: ExportInputs) -> None:
    if len(inputs.rows) != len(inputs.items):
        raise InputError(f"{len(inputs.rows)} rows do not fit {len(inputs.items)} crystals")
    for row in inputs.rows:
        if len(row) != len(inputs.columns):
            raise InputError(f"a row of {len(row)} values does not fit {len(inputs.columns)} columns")


def _records(inputs: ExportInputs) -> Iterator[tuple[Item, dict[str, Any]]]:
    for item, row in zip(inputs.items, inputs.rows, strict=True):
        yield item, dict(zip(inputs.columns, map(json.loads, row), strict=True))


def _write_json(inputs: ExportInputs, path: Path) -> None:
    rows = [{"id": item.id, "values": record, "crystal": item.crystal.to_dict()} for item, record in _records(inputs)]
    content = {"metadata": json.loads(inputs.metadata), "columns": list(inputs.columns), "rows": rows}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_csv(inputs: ExportInputs, path: Path) -> None:
    path.write_text(_csv_text(inputs), encoding="utf-8", newline="")


def _csv_text(inputs: ExportInputs) -> str:
    buffer = io.StringIO()
    table = csv.writer(buffer)
    table.writerow(map(_cell, ["id", *inputs.columns]))
    for item, record in _records(inputs):
        table.writerow(map(_cell, [item.id, *record.values()]))
    return buffer.getvalue()


def _cell(value: Any) -> str:
    """A spreadsheet runs text that starts like a formula; a quote in front makes it text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA_STARTS) else value
    return json.dumps(value, ensure_ascii=False)


def _write_extxyz(inputs: ExportInputs, path: Path) -> None:
    with path.open("w", encoding="utf-8") as frames:
        for item, record in _records(inputs):
            frames.write(extxyz(item.crystal, {"id": item.id, **_flat(record)}))


def _write_cif_zip(inputs: ExportInputs, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in inputs.items:
            name = f"{_file_name(item.id)}-{item.crystal.formula}"
            _add(archive, f"{name}.cif", cif(item.crystal, name))
        _add(archive, "table.csv", _csv_text(inputs))
        _add(archive, "metadata.json", inputs.metadata)


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, ZIP_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, text)


def _write_ase_db(inputs: ExportInputs, path: Path) -> None:
    database = connect(path, type="db", use_lock_file=False)
    for item, record in _records(inputs):
        pairs = {key: value for key, value in _flat(record).items() if _is_searchable(value)}
        database.write(atoms_of(item.crystal), key_value_pairs=pairs, data={"id": item.id, **record})
    database.metadata = {"title": "kappaweb export", **json.loads(inputs.metadata)}


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Column headers as plain identifiers, values as numbers or text; what is empty is left out."""
    return {
        _identifier(column): value if isinstance(value, bool | int | float | str) else json.dumps(value)
        for column, value in record.items()
        if value is not None
    }


def _identifier(column: str) -> str:
    words = re.sub(r"[^0-9a-z]+", "_", column.lower().replace("κ", "kappa").replace("å", "angstrom")).strip("_")
    taken = words.capitalize() in chemical_symbols or words in reserved_keys or not words[:1].isalpha()
    return f"column_{words}" if taken else words


def _is_searchable(value: Any) -> bool:
    """ase.db refuses text that reads as a number."""
    if not isinstance(value, str):
        return True
    try:
        float(value)
    except ValueError:
        return value not in {"True", "False"}
    return False


def _file_name(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]+", "_", text)[:60] or "crystal"


FILE_NAMES = {
    "json": "export.json",
    "csv": "export.csv",
    "extxyz": "export.extxyz",
    "cif.zip": "export.cif.zip",
    "ase.db": "export.db",
}
WRITERS: dict[str, Callable[[ExportInputs, Path], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "extxyz": _write_extxyz,
    "cif.zip": _write_cif_zip,
    "ase.db": _write_ase_db,
}
