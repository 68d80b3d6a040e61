"""The named configurations of the Allegro engine: architecture and training, one frozen record each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from kappakit.errors import InputError


@dataclass(frozen=True)
class Architecture:
    """What the network is. `cutoff` in Å; `envelope` is the exponent of the polynomial cutoff; `zbl` adds the
    Ziegler–Biersack–Littmark repulsion, so that atoms that come too close are pushed apart where no data says so."""

    cutoff: float
    l_max: int
    layers: int
    scalar_features: int
    tensor_features: int
    bessel_functions: int = 8
    envelope: int = 6
    parity: bool = True
    two_body_depth: int = 1
    two_body_width: int = 64
    latent_depth: int = 1
    latent_width: int = 64
    readout_depth: int = 1
    readout_width: int = 32
    zbl: bool = True


@dataclass(frozen=True)
class TrainingSettings:
    """How it is trained: Adam, warm-up, cosine decay to `final_rate` × `learning_rate`, exponential moving average.

    A batch is filled frame by frame up to `batch_edges` edges. `loss` 'l1': mean norms of the errors, 'mse': mean
    squares. Weights multiply eV/atom (energy), eV/Å (forces) and eV/Å³ (stress). `clip` bounds the gradient's norm.
    """

    epochs: int
    batch_edges: int = 6000
    learning_rate: float = 4e-3
    final_rate: float = 0.01
    warmup_epochs: int = 5
    average_decay: float = 0.998
    loss: str = "l1"
    energy_weight: float = 4.0
    force_weight: float = 1.0
    stress_weight: float = 40.0
    clip: float = 10.0
    validation_fraction: float = 0.1
    test_fraction: float = 0.1
    validate_every: int = 1


@dataclass(frozen=True)
class Configuration:
    """A named architecture with its training."""

    name: str
    architecture: Architecture
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(epochs=100))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Configuration:
        """The inverse of as_dict."""
        return cls(data["name"], Architecture(**data["architecture"]), TrainingSettings(**data["training"]))

    def with_overrides(self, overrides: dict[str, Any]) -> Configuration:
        """A copy with some fields of architecture or training replaced; raises InputError for an unknown one."""
        architecture = _replaced(self.architecture, overrides)
        training = _replaced(self.training, overrides)
        known = {f.name for f in fields(Architecture)} | {f.name for f in fields(TrainingSettings)}
        unknown = sorted(overrides.keys() - known)
        if unknown:
            raise InputError(f"no field of a configuration: {', '.join(unknown)}")
        return Configuration(self.name, architecture, training)


def _replaced(record: Any, overrides: dict[str, Any]) -> Any:
    known = {f.name: type(getattr(record, f.name)) for f in fields(record)}
    return replace(record, **{name: known[name](value) for name, value in overrides.items() if name in known})


CONFIGURATIONS: dict[str, Configuration] = {
    "carbon-paper": Configuration(
        "carbon-paper",
        Architecture(
            cutoff=5.5,
            l_max=3,
            layers=3,
            scalar_features=128,
            tensor_features=16,
            envelope=48,
            two_body_depth=2,
            two_body_width=128,
            latent_depth=0,
            latent_width=128,
            readout_depth=3,
            readout_width=128,
            zbl=False,
        ),
        TrainingSettings(epochs=1000, learning_rate=2e-3, batch_edges=8000),
    ),
    "carbon-laptop": Configuration(
        "carbon-laptop",
        Architecture(cutoff=4.2, l_max=3, layers=2, scalar_features=64, tensor_features=4),
        TrainingSettings(epochs=720, batch_edges=2500, learning_rate=8e-3, energy_weight=10.0),
    ),
    "carbon-tiny": Configuration(
        "carbon-tiny",
        Architecture(
            cutoff=3.5,
            l_max=1,
            layers=1,
            scalar_features=24,
            tensor_features=4,
            two_body_width=24,
            latent_width=24,
            readout_width=16,
        ),
        TrainingSettings(epochs=60, batch_edges=1500, learning_rate=1e-2, average_decay=0.97),
    ),
}
"""By name. carbon-paper: the paper's hyper-parameters; carbon-laptop: what ships; carbon-tiny: tests, committees."""


def configuration(name: str, overrides: dict[str, Any] | None = None) -> Configuration:
    """A named configuration with overrides; raises InputError for an unknown name or field."""
    if name not in CONFIGURATIONS:
        raise InputError(f"no configuration {name!r}; there are {', '.join(CONFIGURATIONS)}")
    return CONFIGURATIONS[name].with_overrides(overrides or {})
