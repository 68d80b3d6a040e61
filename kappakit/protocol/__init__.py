"""The protocol: every number of the method, once, with unit, meaning and origin.

`paper` marks a number that Guo et al., npj Comput. Mater. 11 (2025), doi 10.1038/s41524-025-01592-8, states;
`ours` marks our choice where the paper is silent. A campaign stores a snapshot (`as_dict`) and its `digest`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kappakit.protocol.building import ProtocolError, build
from kappakit.protocol.facts import OURS, PAPER, FieldFacts, field_facts, setting
from kappakit.protocol.learning import CommitteeSettings, DftRunSettings, DftSettings
from kappakit.protocol.phonons import ConductivitySettings, NeighbourSettings
from kappakit.protocol.pool import (
    DeduplicateSettings,
    EmbedSettings,
    GenerateSettings,
    RelaxSettings,
    SampleSettings,
    ScreenSettings,
)

__all__ = [
    "GENERATIONS",
    "OURS",
    "PAPER",
    "PROTOCOLS",
    "PUBLISHED_GENERATION",
    "CommitteeSettings",
    "ConductivitySettings",
    "DeduplicateSettings",
    "DftRunSettings",
    "DftSettings",
    "EmbedSettings",
    "FieldFacts",
    "GenerateSettings",
    "NeighbourSettings",
    "Protocol",
    "ProtocolError",
    "RelaxSettings",
    "SampleSettings",
    "ScreenSettings",
    "field_facts",
]


@dataclass(frozen=True)
class Protocol:
    """One campaign's method."""

    source: str = setting(
        "import",
        "where crystals come from: files, a generator (see Generate), or both",
        choices=("import", "generate", "both"),
    )
    generate: GenerateSettings = field(default_factory=GenerateSettings)
    relax: RelaxSettings = field(default_factory=RelaxSettings)
    deduplicate: DeduplicateSettings = field(default_factory=DeduplicateSettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    embed: EmbedSettings = field(default_factory=EmbedSettings)
    sample: SampleSettings = field(default_factory=SampleSettings)
    conductivity: ConductivitySettings = field(default_factory=ConductivitySettings)
    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    committee: CommitteeSettings = field(default_factory=CommitteeSettings)
    dft: DftSettings = field(default_factory=DftSettings)
    dft_run: DftRunSettings = field(default_factory=DftRunSettings)

    def as_dict(self) -> dict[str, Any]:
        """The snapshot: plain JSON types."""
        return asdict(self)

    @property
    def learned(self) -> bool:
        """Whether crystals come from a trained generator."""
        return self.source != "import" and self.generate.generator != "search"

    @property
    def digest(self) -> str:
        """sha256 of the canonical snapshot."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Protocol:
        """The protocol of a snapshot; what is absent keeps its default.

        Raises ProtocolError that names every unknown field and every value outside its range at once.
        """
        problems: dict[str, str] = {}
        protocol = build(cls(), data, "", problems)
        if problems:
            raise ProtocolError(problems)
        return protocol


PUBLISHED_GENERATION = GenerateSettings(
    generator="cdvae",
    count=100_000,
    with_training=True,
    min_atoms=1,
    max_atoms=24,
    min_volume=0.1,
    max_volume=1000.0,
    min_distance=0.5,
    sampler="published",
    tries=1,
    prior="normal",
    batch=64,
)
"""As the paper's generator does it; what is not a choice of settings (lattices, numbers) is sampled here too."""

GENERATIONS: dict[str, GenerateSettings] = {
    "published": PUBLISHED_GENERATION,
    "posterior": replace(PUBLISHED_GENERATION, sampler="annealed", tries=3, prior="posterior"),
    "simple": GenerateSettings(
        generator="cdvae",
        max_atoms=12,
        max_volume=15.0,
        min_distance=1.15,
        prior="between",
        distinct=True,
        simple=True,
        symmetrise=0.1,
        thin=0.1,
        batch=64,
    ),
}
"""Named ways to generate. published: the paper's; posterior: its training distribution, quickly; simple: few atoms and
high symmetry, near-duplicates dropped before they are relaxed."""


PUBLISHED_CONDUCTIVITY = ConductivitySettings(
    supercell_rule="repeat",
    displacements="systematic",
    mesh_rule="axes",
    max_mesh_length=25.0,
    interaction="phono3py",
)
"""As the paper has it: 3×3×3 of the primitive cell, pairs within 3 Å, a mesh by the lengths of the cell's vectors,
tested against a shorter one and never refined."""

DEMO = Protocol(
    source="both",
    generate=replace(GENERATIONS["simple"], count=64),
    sample=SampleSettings(count=8),
    conductivity=ConductivitySettings(
        mesh_length=20.0, lbte_above=1500.0, max_minutes=1.5, max_sweep_minutes=7.0, max_campaign_minutes=10.0
    ),
    neighbours=NeighbourSettings(k=2),
)
LAPTOP_DFT = DftSettings(engine="gpaw", k_spacing=0.4, spin=False)
"""As the carbon labels that come with the program: coarser than the paper, never to be mixed with its own."""

PROTOCOLS: dict[str, Protocol] = {
    "paper": Protocol(
        source="generate",
        generate=PUBLISHED_GENERATION,
        conductivity=PUBLISHED_CONDUCTIVITY,
        committee=CommitteeSettings(size=8),
    ),
    "demo": DEMO,
    "committee": replace(
        DEMO,
        sample=SampleSettings(count=4),
        committee=CommitteeSettings(
            size=8,
            start_count=0,
            warm_epochs=15,
            max_iterations=3,
            rattle_length=0.0,
            label="auto",
            spread="ultrahigh",
            spread_count=2,
        ),
        dft=LAPTOP_DFT,
        neighbours=NeighbourSettings(k=2, sweeps=0),
    ),
    "replay": replace(
        DEMO,
        source="generate",
        generate=replace(GENERATIONS["simple"], count=300, report_count=0),
        sample=SampleSettings(count=45),
        committee=CommitteeSettings(
            size=8,
            start_count=150,
            epochs=60,
            warm_epochs=12,
            threshold=20.0,
            max_iterations=40,
            rattle_length=0.0,
            label="auto",
            spread="none",
        ),
        dft=replace(LAPTOP_DFT, engine="surrogate"),
        conductivity=ConductivitySettings(max_sweep_minutes=0.0),
        neighbours=NeighbourSettings(sweeps=0),
    ),
    "smoke": Protocol(
        source="both",
        generate=GenerateSettings(count=6, max_atoms=4, batch=3),
        relax=RelaxSettings(max_steps=200, batch=32),
        sample=SampleSettings(count=2, references="diamond"),
        conductivity=ConductivitySettings(
            fc3_width=3.3,
            fc2_width=3.3,
            mesh_length=12.0,
            max_mesh_length=16.0,
            max_minutes=1.0,
            max_sweep_minutes=2.0,
        ),
        neighbours=NeighbourSettings(k=1),
    ),
}
"""Named starting points: the paper's numbers; the laptop's demo; the same with a committee that learns from GPAW; a
committee at scale that learns from a potential in DFT's place; the smallest that still does everything."""
