"""Train one member of the committee: the start set and the labels so far, without the crystals that it leaves out."""

from __future__ import annotations

from kappakit.ports import Engines
from kappakit.stages.contracts import TrainMemberInputs, TrainOutputs
from kappakit.stages.member_training import train_member
from kappakit.stages.table import NoSettings


def run(inputs: TrainMemberInputs, settings: NoSettings, *, engines: Engines) -> TrainOutputs:
    """Train into ./checkpoint (what an earlier attempt left there is resumed).

    Raises InputError for unreadable frames, an unknown configuration, weights to start from that do not fit, and labels
    of several methods without a reference.
    """
    return train_member(inputs, engines)
