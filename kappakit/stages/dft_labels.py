"""DFT labels: the rattled configurations of one crystal that are to be labelled."""

from __future__ import annotations

from kappakit.ports import Engines
from kappakit.protocol import CommitteeSettings
from kappakit.rattles import rattled, smallest_supercell
from kappakit.stages.contracts import RattleInputs, RattleOutputs


def run(inputs: RattleInputs, settings: CommitteeSettings, *, engines: Engines) -> RattleOutputs:
    """Rattled copies of the smallest supercell of the given primitive cell; raises InputError where atoms would collide."""
    supercell = smallest_supercell(inputs.item.crystal, settings.rattle_length)
    cells = rattled(supercell.crystal, count=settings.rattles, amplitude=settings.rattle_amplitude, seed=inputs.seed)
    engines.progress(len(cells), len(cells), f"{len(cells)} rattled cells of {supercell.crystal.n_atoms} atoms")
    return RattleOutputs(cells, supercell.repeats, supercell.lengths, settings.rattle_amplitude)
