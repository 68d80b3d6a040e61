"""What a validation asks of the gate: the relaxation first, then the supercells, each with its words and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.committees.selectors import oracle_of
from apps.conductivity.models import Validation
from apps.conductivity.selectors import dft_settings
from apps.dft.estimates import basis, estimated_core_hours
from apps.dft.models import DftRequest, Purpose
from apps.dft.selectors import history_of
from apps.dft.services import Asked, request_propose
from apps.structures.selectors import crystal_of
from kappakit.crystals import Crystal
from kappakit.dft import LABEL, RELAX, DftTask, effort
from kappakit.protocol import DftSettings
from kappakit.stages.contracts import PartSize

DECIDES = {
    "harmonic": "whether DFT confirms the phonons of the potential (bands, smallest gap, imaginary modes)",
    "anharmonic": "κ_L by DFT itself, beside the potential's",
}


def sizes_in_hours(validation: Validation, sizes: Sequence[PartSize]) -> list[dict[str, Any]]:
    """What each part takes after the relaxation: supercells, atoms, core-hours and what these rest on."""
    settings = dft_settings(validation)
    history = history_of(settings.engine)
    rows = []
    for size in sizes:
        each = estimated_core_hours(settings.engine, effort(_task(LABEL, size.supercell, settings)), history)
        rows.append(
            {
                "part": size.part,
                "supercells": size.supercells,
                "atoms": size.supercell.n_atoms,
                "core_hours": each * size.supercells,
                "basis": basis(history.count),
            }
        )
    return rows


def relaxation_propose(validation: Validation) -> DftRequest:
    """One calculation: the potential's primitive cell, to be relaxed by DFT, at the tolerance of force constants."""
    assert validation.cell_potential is not None
    task = _task(RELAX, crystal_of(validation.cell_potential), dft_settings(validation))
    title = f"Validation of {validation.candidate}: relaxation"
    return _proposed(validation, "relax", title, [("relaxation", task)], _first_words(validation))


def supercells_propose(validation: Validation, cells: Sequence[Crystal], labels: Sequence[str]) -> DftRequest:
    """One calculation a supercell, in the order of the data set."""
    settings = dft_settings(validation)
    tasks = [(label, _task(LABEL, cell, settings)) for label, cell in zip(labels, cells, strict=True)]
    title = f"Validation of {validation.candidate}: {_counted(len(cells))}, {validation.part}"
    decides = f"Decides {DECIDES[validation.part]}. All of them are needed."
    return _proposed(validation, "supercells", title, tasks, decides)


def _proposed(
    validation: Validation, step: str, title: str, tasks: Sequence[tuple[str, DftTask]], decides: str
) -> DftRequest:
    campaign = validation.candidate.campaign
    asked = Asked(
        purpose=str(Purpose.VALIDATE),
        key=f"validate/{validation.pk}/{step}",
        title=title[:200],
        decides=decides,
        candidate=validation.candidate,
    )
    run, user = protocol_of(campaign).dft_run, validation.requested_by
    return request_propose(campaign=campaign, asked=asked, tasks=tasks, run=run, proposed_by=user)


def _first_words(validation: Validation) -> str:
    """For who decides on the relaxation: what would follow it, and what that costs."""
    lines = [f"The first step of {DECIDES[validation.part]}. If it is approved, the supercells are asked for next:"]
    lines += [_part_words(row, mine=row["part"] == validation.part) for row in validation.expected]
    return "\n".join(lines)


def _part_words(row: Mapping[str, Any], *, mine: bool) -> str:
    when = "asked for next" if mine else "not asked for now"
    return (
        f"{row['part']}: {_counted(row['supercells'])} of {row['atoms']} atoms, "
        f"about {row['core_hours']:.3g} core-hours ({row['basis']}), {when}"
    )


def _counted(supercells: int) -> str:
    return f"{supercells} supercell{'' if supercells == 1 else 's'}"


def _task(task: str, crystal: Crystal, settings: DftSettings) -> DftTask:
    """Forces that become force constants, and the cell about which they are expanded, are converged tightly."""
    tight = replace(settings, energy_tolerance=settings.tight_tolerance)
    oracle = oracle_of(settings)
    return DftTask(task, crystal, tight, oracle.sha256 if oracle else "")
