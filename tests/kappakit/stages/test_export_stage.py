"""Exports: the same table in five formats, readable by those who asked for it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ase.db import connect
from ase.io import read

from kappakit.errors import InputError
from kappakit.reference import REFERENCES
from kappakit.stages import export
from kappakit.stages.contracts import ExportInputs, Item
from kappakit.stages.table import NoSettings

COLUMNS = ("name", "κ_L (W/(m·K))", "stable", "N")
ROWS = (("diamond", 2573.5, True, 2), ("=HYPERLINK(1)", None, False, 4))
ITEMS = (Item("11", REFERENCES["diamond"].crystal), Item("12", REFERENCES["cubic-BN"].crystal))


def written(folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch, engines) -> Path:
    monkeypatch.chdir(folder)
    rows = tuple(tuple(json.dumps(value) for value in row) for row in ROWS)
    inputs = ExportInputs(kind, COLUMNS, rows, ITEMS, json.dumps({"campaign": "carbon"}))
    outputs = export.run(inputs, NoSettings(), engines=engines)
    path = folder / outputs.file
    assert outputs.rows == 2
    assert outputs.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return path


def test_json_holds_values_crystals_and_metadata(tmp_path, monkeypatch, engines) -> None:
    content = json.loads(written(tmp_path, "json", monkeypatch, engines).read_text())
    assert content["metadata"] == {"campaign": "carbon"}
    assert content["rows"][0]["values"] == dict(zip(COLUMNS, ROWS[0], strict=True))
    assert content["rows"][1]["crystal"]["numbers"] == [5, 7]


def test_csv_has_units_in_its_head_and_no_formula_in_its_cells(tmp_path, monkeypatch, engines) -> None:
    rows = list(csv.reader(io.StringIO(written(tmp_path, "csv", monkeypatch, engines).read_text())))
    assert rows[0] == ["id", *COLUMNS]
    assert rows[1] == ["11", "diamond", "2573.5", "true", "2"]
    assert rows[2] == ["12", "'=HYPERLINK(1)", "", "false", "4"]


def test_extxyz_is_read_back_by_ase(tmp_path, monkeypatch, engines) -> None:
    first, second = read(written(tmp_path, "extxyz", monkeypatch, engines), ":")
    assert first.info["kappa_l_w_m_k"] == 2573.5
    assert first.info["name"] == "diamond"
    assert second.get_chemical_formula() == "BN"
    assert np.allclose(first.cell[:], ITEMS[0].crystal.cell, atol=1e-8)


def test_the_zip_holds_a_cif_a_crystal_and_the_table_and_is_the_same_each_time(tmp_path, monkeypatch, engines) -> None:
    path = written(tmp_path, "cif.zip", monkeypatch, engines)
    first = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["11-C2.cif", "12-BN.cif", "table.csv", "metadata.json"]
        assert "_cell_length_a" in archive.read("11-C2.cif").decode()
    assert written(tmp_path, "cif.zip", monkeypatch, engines).read_bytes() == first


def test_the_database_is_searched_by_ase(tmp_path, monkeypatch, engines) -> None:
    database = connect(written(tmp_path, "ase.db", monkeypatch, engines))
    (row,) = database.select("kappa_l_w_m_k>1000")
    assert row.formula == "C2"
    assert row.data["κ_L (W/(m·K))"] == 2573.5
    assert database.metadata["campaign"] == "carbon"
    assert database.count() == 2


def test_what_does_not_fit_is_said(engines) -> None:
    with pytest.raises(InputError, match="no export format"):
        export.run(ExportInputs("xlsx", (), (), ()), NoSettings(), engines=engines)
    with pytest.raises(InputError, match="0 rows do not fit 2 crystals"):
        export.run(ExportInputs("csv", (), (), ITEMS), NoSettings(), engines=engines)
    with pytest.raises(InputError, match="1 values"):
        export.run(ExportInputs("csv", COLUMNS, (("1",),), ITEMS[:1]), NoSettings(), engines=engines)
