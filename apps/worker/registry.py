"""Every stage that a worker can run."""

from __future__ import annotations

from apps.committees.stages import BINDINGS as COMMITTEES
from apps.conductivity.stages import BINDINGS as CONDUCTIVITY
from apps.dft.stages import BINDINGS as DFT
from apps.jobs.bindings import Binding
from apps.maps.stages import BINDINGS as MAPS
from apps.reviews.stages import BINDINGS as REVIEWS
from apps.structures.stages import BINDINGS as STRUCTURES
from apps.training.stages import BINDINGS as TRAINING

BINDINGS: dict[str, Binding] = {
    binding.name: binding for binding in (*STRUCTURES, *MAPS, *DFT, *COMMITTEES, *CONDUCTIVITY, *TRAINING, *REVIEWS)
}
