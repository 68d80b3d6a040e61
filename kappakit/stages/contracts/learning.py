"""Contracts of the query by committee and of DFT calculations."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import Calibration, DftResult, PotentialRef
from kappakit.stages.contracts.items import Item, Refusal


@dataclass(frozen=True, eq=False)
class LabelItem:
    """A labelled configuration: energy eV per cell (force-consistent), forces (n, 3) eV/Å, stress (3, 3) eV/Å³.

    `group`: the distinct crystal that it came from; `method`: digest of the method that fixes its zero."""

    id: str
    crystal: Crystal
    energy: float
    forces: np.ndarray
    stress: np.ndarray
    group: str
    method: str


@dataclass(frozen=True)
class StartSetInputs:
    """`file`: labelled extended XYZ; its frames' `method` (in info) is the digest of their method, `method` that of
    frames without one. With an `oracle` its labels replace the file's, under the digest `method`."""

    file: str
    method: str
    seed: int
    oracle: PotentialRef | None = None


@dataclass(frozen=True)
class StartSetOutputs:
    """`start`, `test`: extended XYZ with group and method, paths relative to the stage's folder; their frames, and the
    distinct crystals of each. `methods`: digest → frames."""

    start: str
    test: str
    start_frames: int
    test_frames: int
    start_groups: tuple[str, ...]
    test_groups: tuple[str, ...]
    methods: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainMemberInputs:
    """One member, or the final fit (`held_out` empty: nothing is left out, the test set validates).

    `start`: path of the start set, `test` of the fixed test set, on which nothing trains; `labels`: what iterations
    added; `held_out`: groups that this member leaves out; `initial`: folder of the weights that it starts from, "" for
    none. `reference`: the potential against which the offset of each method is measured where there are several.
    """

    index: int
    seed: int
    configuration: str
    start: str
    test: str
    labels: tuple[LabelItem, ...] = ()
    held_out: tuple[str, ...] = ()
    initial: str = ""
    overrides: dict[str, float] = field(default_factory=dict)
    reference: PotentialRef | None = None


@dataclass(frozen=True, eq=False)
class UncertaintyInputs:
    """Candidates, the members, and the fixed test set (path of an extended XYZ file)."""

    items: tuple[Item, ...]
    members: tuple[PotentialRef, ...]
    test: str


@dataclass(frozen=True, eq=False)
class UncertaintyItem:
    """energies (m,) eV/atom; energy_std meV/atom; force_spread: the largest norm, over atoms, of the members' standard
    deviation of the force vector, eV/Å."""

    id: str
    energies: np.ndarray
    energy_std: float
    force_spread: float


@dataclass(frozen=True, eq=False)
class UncertaintyOutputs:
    """`seconds` of the batched pass over the items, s; `refusals`: what could not be evaluated."""

    items: tuple[UncertaintyItem, ...]
    calibration: Calibration
    seconds: float
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, eq=False)
class RattleInputs:
    """The crystal whose disturbed copies are to be labelled."""

    item: Item
    seed: int


@dataclass(frozen=True, eq=False)
class RattleOutputs:
    """Rattled supercells of the primitive cell with their `repeats`; `lengths` (3,) Å of the undisturbed supercell."""

    cells: tuple[Crystal, ...]
    repeats: tuple[int, int, int]
    lengths: tuple[float, float, float]
    amplitude: float


@dataclass(frozen=True, eq=False)
class SpreadInputs:
    """κ_L (RTA) of one primitive cell by each member; the cell is relaxed by each under its symmetry first."""

    id: str
    primitive: Crystal
    members: tuple[PotentialRef, ...]
    symprec: float
    angle_tolerance: float
    dimensionality: int


@dataclass(frozen=True, eq=False)
class MemberKappa:
    """One member: `largest` principal κ_L at the ranked temperature, W/(m·K), None where it has none (`note` says why);
    principal (3,) W/(m·K), descending; dynamical as PhononVerdict."""

    index: int
    largest: float | None
    principal: tuple[float, ...]
    dynamical: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class SpreadOutputs:
    """One row a member."""

    members: tuple[MemberKappa, ...]
    seconds: float


@dataclass(frozen=True)
class CalculateInputs:
    """`text`: canonical inputs (kappakit.dft.DftTask). `oracle`: the potential that stands for DFT, if one does."""

    text: str
    oracle: PotentialRef | None = None


@dataclass(frozen=True, eq=False)
class CalculateOutputs:
    """`result` None: it failed, by the class `failure` (kappakit.dft.RETRIES) with `message` for people.

    `files`: kind → path relative to the stage's folder, e.g. {"gpaw_log": "checkpoint/gpaw.txt"}; `cores` used and
    `seconds` of the clock."""

    result: DftResult | None
    failure: str
    message: str
    seconds: float
    cores: int
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UploadInputs:
    """A vasprun.xml that somebody computed elsewhere, and the inputs that were asked."""

    text: str
    file: str
