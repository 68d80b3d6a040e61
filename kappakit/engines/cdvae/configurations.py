"""The named configurations of the CDVAE: architecture, noise and training, one frozen record each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from kappakit.errors import InputError


@dataclass(frozen=True)
class Architecture:
    """What the network is.

    `cutoff` Å; `radial` Bessel functions; `features` channels an atom; `latent` dimensions; `head` width of the heads'
    hidden layer; `max_atoms` the number head's last class; `components` of the lattice's Gaussian mixture, 0: the
    published plain regression; `told_noise`: the decoder sees the noise level and predicts the scaled score itself.
    """

    cutoff: float = 5.0
    radial: int = 12
    features: int = 128
    encoder_layers: int = 2
    decoder_layers: int = 4
    latent: int = 128
    head: int = 256
    max_atoms: int = 24
    components: int = 6
    told_noise: bool = True


@dataclass(frozen=True)
class Noise:
    """Widths of the noise, Å for coordinates; types have no unit.

    `levels` 0: continuous and log-uniform, else that many in geometric sequence. Of the continuous ones `ordering` lie
    between `ordering_from` and `ordering_to`, where a crystal takes its order. `target` 'wrapped': the score of the
    wrapped normal; 'shortest': the published shortest vector.
    """

    largest: float = 4.0
    smallest: float = 0.02
    levels: int = 0
    ordering: float = 0.4
    ordering_from: float = 0.15
    ordering_to: float = 0.8
    target: str = "wrapped"
    types_largest: float = 5.0
    types_smallest: float = 0.01


@dataclass(frozen=True)
class TrainingSettings:
    """How it is trained: AdamW, linear warm-up, cosine decay, an exponential moving average of the weights.

    `steps` of `batch` crystals each. `lattice`: what the decoder sees, 'jittered': true lattices with normal noise up
    to `lattice_noise` standard deviations; 'predicted' (published): the network's own, after `predicted_from` of the
    steps with true ones. `strain`: standard deviation of a random strain of each training crystal. Weights multiply
    the terms of the published objective.
    """

    steps: int = 20_000
    batch: int = 256
    learning_rate: float = 1e-3
    final_rate: float = 0.02
    warmup_steps: int = 500
    weight_decay: float = 1e-2
    average_decay: float = 0.999
    clip: float = 1.0
    lattice: str = "jittered"
    lattice_noise: float = 0.3
    predicted_from: float = 0.25
    strain: float = 0.0
    number_weight: float = 1.0
    lattice_weight: float = 1.0
    coordinates_weight: float = 10.0
    types_weight: float = 1.0
    composition_weight: float = 1.0
    kl_weight: float = 0.001
    validate_every: int = 250


@dataclass(frozen=True)
class Configuration:
    """A named generator."""

    name: str
    architecture: Architecture = field(default_factory=Architecture)
    noise: Noise = field(default_factory=Noise)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Configuration:
        """The inverse of as_dict; raises TypeError or KeyError for other fields."""
        return cls(
            data["name"],
            Architecture(**data["architecture"]),
            Noise(**data["noise"]),
            TrainingSettings(**data["training"]),
        )

    def with_overrides(self, overrides: dict[str, Any]) -> Configuration:
        """A copy with some fields replaced; raises InputError for an unknown one."""
        parts: dict[str, Any] = {
            "architecture": self.architecture,
            "noise": self.noise,
            "training": self.training,
        }
        unknown = sorted(overrides.keys() - {f.name for part in parts.values() for f in fields(part)})
        if unknown:
            raise InputError(f"no field of a configuration: {', '.join(unknown)}")
        return replace(self, **{name: _replaced(part, overrides) for name, part in parts.items()})


def _replaced(record: Any, overrides: dict[str, Any]) -> Any:
    known = {f.name: type(getattr(record, f.name)) for f in fields(record)}
    return replace(record, **{name: known[name](value) for name, value in overrides.items() if name in known})


CONFIGURATIONS: dict[str, Configuration] = {
    "laptop": Configuration(
        "laptop",
        Architecture(features=96),
        training=TrainingSettings(steps=12_000, batch=64, validate_every=500),
    ),
    "carbon": Configuration("carbon"),
    "published": Configuration(
        "published",
        Architecture(cutoff=7.0, encoder_layers=4, latent=256, components=0, told_noise=False),
        Noise(largest=10.0, smallest=0.01, levels=50, target="shortest"),
        TrainingSettings(steps=95_000, lattice="predicted", lattice_weight=10.0, kl_weight=0.01, weight_decay=0.0),
    ),
    "tiny": Configuration(
        "tiny",
        Architecture(cutoff=4.0, radial=6, features=24, encoder_layers=1, decoder_layers=2, latent=16, head=32),
        training=TrainingSettings(steps=300, batch=32, warmup_steps=20, average_decay=0.98, validate_every=50),
    ),
}
"""By name. laptop: what ships, 90 minutes on a core; carbon: for a GPU; published: close to its paper; tiny: tests."""


def configuration(name: str, overrides: dict[str, Any] | None = None) -> Configuration:
    """A named configuration with overrides; raises InputError for an unknown name or field."""
    if name not in CONFIGURATIONS:
        raise InputError(f"no configuration {name!r}; there are {', '.join(CONFIGURATIONS)}")
    return CONFIGURATIONS[name].with_overrides(overrides or {})
