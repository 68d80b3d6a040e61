"""Final fit: one potential on all that is labelled; only the fixed test set is left out, which validates."""

from __future__ import annotations

from kappakit.errors import InputError
from kappakit.ports import Engines
from kappakit.stages.contracts import TrainMemberInputs, TrainOutputs
from kappakit.stages.member_training import train_member
from kappakit.stages.table import NoSettings


def run(inputs: TrainMemberInputs, settings: NoSettings, *, engines: Engines) -> TrainOutputs:
    """As train_committee, with nothing held out; raises InputError besides where something is."""
    if inputs.held_out:
        raise InputError("the final fit leaves no labelled crystal out")
    return train_member(inputs, engines)
