"""Units of the dossiers' numbers, and which of their fields JSON carries in another way. '1': a ratio or no unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.reviews.dossier import Lattice, Site

KAPPA = "W/(m·K)"

UNITS: dict[str, str] = {
    "CandidateDossier.above_hull": "eV/atom",
    "CumulativeFacts.cumulative": KAPPA,
    "CumulativeFacts.mean_free_paths": "Å",
    "BandsFacts.distances": "1/Å",
    "BandsFacts.frequencies": "THz",
    "DosFacts.frequencies": "THz",
    "DosFacts.total": "states/THz",
    "DuplicateFacts.energy_difference": "meV/atom",
    "DuplicateFacts.rms_backward": "(V/N)^(1/3)",
    "DuplicateFacts.rms_forward": "(V/N)^(1/3)",
    "GenerationFacts.consistency": "1",
    "GenerationFacts.latent": "1",
    "GenerationFacts.training_rms": "(V/N)^(1/3)",
    "Lattice.a": "Å",
    "Lattice.alpha": "°",
    "Lattice.b": "Å",
    "Lattice.beta": "°",
    "Lattice.c": "Å",
    "Lattice.gamma": "°",
    "Lattice.vectors": "Å",
    "Lattice.volume": "Å³",
    "LiteratureFacts.kappa_high": KAPPA,
    "LiteratureFacts.kappa_low": KAPPA,
    "LiteratureFacts.temperature": "K",
    "MapNeighbour.distance": "1",
    "MapNeighbour.kappa": KAPPA,
    "MapPlace.x": "1",
    "MapPlace.y": "1",
    "NoveltyFacts.rms": "(V/N)^(1/3)",
    "OurValue.largest": KAPPA,
    "OurValue.principal": KAPPA,
    "OurValue.temperature": "K",
    "PhononFacts.acoustic_lowest": "THz",
    "PhononFacts.lowest_commensurate": "THz",
    "PhononFacts.lowest_mesh": "THz",
    "PhononFacts.lowest_path": "THz",
    "PhononFacts.seconds": "s",
    "PlanFacts.energy_change": "meV/atom",
    "PlanFacts.expected_bte_minutes": "min",
    "PlanFacts.expected_lbte_minutes": "min",
    "PlanFacts.expected_memory": "GiB",
    "PlanFacts.max_force": "eV/Å",
    "PlanFacts.max_stress": "GPa",
    "RankedRow.above_hull": "eV/atom",
    "RankedRow.largest": KAPPA,
    "RankedRow.principal": KAPPA,
    "RankedRow.temperature": "K",
    "RankedTable.temperature": "K",
    "RankedTable.ultrahigh": KAPPA,
    "RelaxationFacts.deviation_angles": "1",
    "RelaxationFacts.deviation_lengths": "1",
    "RelaxationFacts.deviation_positions": "(V/N)^(1/3)",
    "RelaxationFacts.deviation_volume": "1",
    "RelaxationFacts.energy_per_atom": "eV/atom",
    "RelaxationFacts.max_force": "eV/Å",
    "RelaxationFacts.max_stress": "GPa",
    "RelaxationFacts.pressure": "GPa",
    "RelaxationFacts.soap_distance": "1",
    "SelectionFacts.distance": "1",
    "Shell.distance": "Å",
    "Site.frac": "1",
    "Site.position": "Å",
    "StructureFacts.density": "g/cm³",
    "StructureFacts.volume_per_atom": "Å³/atom",
    "TensorFacts.directions": "1",
    "TensorFacts.kappa": KAPPA,
    "TensorFacts.largest": KAPPA,
    "TensorFacts.principal": KAPPA,
    "TensorFacts.principal_by_temperature": KAPPA,
    "TensorFacts.seconds": "s",
    "TensorFacts.temperature": "K",
    "TensorFacts.temperatures": "K",
}

LEFT_OUT = frozenset({"StructureFacts.crystal"})
"""Arrays that `lattice` and `sites` say in JSON."""

COMPUTED: Mapping[str, Mapping[str, Any]] = {"StructureFacts": {"lattice": Lattice, "sites": tuple[Site, ...]}}
"""Properties of a dataclass that JSON carries too."""
