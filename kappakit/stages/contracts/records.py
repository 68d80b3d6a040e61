"""Contracts of the trainings and of export."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kappakit.ports import PotentialRef
from kappakit.stages.contracts.items import Item, Refusal


@dataclass(frozen=True)
class TrainInputs:
    """`dataset`: path of an extended XYZ file with energy, forces, stress, group, kind; `always_train`: groups.

    `teacher`: label the frames' geometries with this potential first (for trainings without a data set)."""

    configuration: str
    dataset: str
    seed: int
    always_train: tuple[str, ...] = ()
    overrides: dict[str, float] = field(default_factory=dict)
    teacher: PotentialRef | None = None


@dataclass(frozen=True, eq=False)
class TrainOutputs:
    """`folder`: relative path of the stored model, `files`: names in it; `curve` (epochs, 7): the columns of
    TrainingCurvePoint."""

    folder: str
    sha256: str
    card: str
    """The model card as JSON text."""
    curve: np.ndarray
    files: tuple[str, ...] = ("model.safetensors", "model.json", "card.json")


@dataclass(frozen=True)
class TrainGeneratorInputs:
    """`files`: (part, original file name, path) with part 'train' | 'validation' | 'test'. `split` 'given': parts as
    they are; 'grouped': all crystals together, drawn anew by distinct crystal. `minutes` > 0: end by the clock."""

    configuration: str
    files: tuple[tuple[str, str, str], ...]
    seed: int
    split: str = "given"
    minutes: float = 0.0
    overrides: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TrainGeneratorOutputs:
    """`folder`: relative path of the stored generator, `files`: names in it; `curve` (points, 11): the columns of
    GeneratorCurvePoint; `refusals`: what of the files was not taken."""

    folder: str
    sha256: str
    card: str
    """The model card as JSON text."""
    curve: np.ndarray
    refusals: tuple[Refusal, ...] = ()
    files: tuple[str, ...] = ("model.safetensors", "model.json", "card.json", "crystals.safetensors")


@dataclass(frozen=True, eq=False)
class ExportInputs:
    """A table to be written to one file. format: 'json' | 'csv' | 'extxyz' | 'cif.zip' | 'ase.db'.

    `columns`: headers with units; `rows`: one a crystal of `items`, in the same order, each value as JSON text;
    `metadata`: JSON object (filter, campaign, protocol digest …)."""

    format: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    items: tuple[Item, ...]
    metadata: str = "{}"


@dataclass(frozen=True)
class ExportOutputs:
    """`file`: path relative to the stage's folder, with its number of rows and its digest."""

    file: str
    rows: int
    sha256: str
