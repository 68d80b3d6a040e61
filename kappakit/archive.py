"""Dataclasses to a folder and back: plain values as JSON, arrays beside them as NPZ. No pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from cattrs.preconf.json import make_converter

from kappakit.crystals import Crystal
from kappakit.errors import InputError

T = TypeVar("T")


def write(folder: Path, name: str, record: Any) -> None:
    """Write `record` (a dataclass of contracts.py) as folder/name.json and folder/name.npz."""
    arrays: dict[str, np.ndarray] = {}
    converter = make_converter()

    def store(array: np.ndarray) -> dict[str, str]:
        key = f"a{len(arrays)}"
        arrays[key] = np.asarray(array)
        return {"array": key}

    converter.register_unstructure_hook(np.ndarray, store)
    converter.register_unstructure_hook(
        Crystal, lambda c: {"cell": store(c.cell), "frac": store(c.frac), "numbers": store(c.numbers)}
    )
    text = json.dumps(converter.unstructure(record))
    np.savez(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]
    (folder / f"{name}.json").write_text(text)


def read(folder: Path, name: str, kind: type[T]) -> T:
    """The inverse of write; raises InputError for a missing or damaged file."""
    try:
        data = json.loads((folder / f"{name}.json").read_text())
        with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / name} cannot be read: {error}") from error
    converter = make_converter()

    def load(value: dict[str, str], _: Any = None) -> np.ndarray:
        return arrays[value["array"]]

    converter.register_structure_hook(np.ndarray, load)
    converter.register_structure_hook(
        Crystal, lambda v, _: Crystal(load(v["cell"]), load(v["frac"]), load(v["numbers"]))
    )
    return converter.structure(data, kind)
