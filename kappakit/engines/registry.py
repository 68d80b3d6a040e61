"""What there is, by name: literal mappings to 'module:factory'. A new engine is one line here.

A potential's factory takes a PotentialRef and returns a kappakit.ports.Potential, a generator's takes a GeneratorRef.
Any ASE calculator or torch-sim model is a potential through kappakit.engines.ase_calculator or
kappakit.engines.torchsim_model, as `analytic.py` shows.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from kappakit.errors import InputError

POTENTIALS: dict[str, str] = {
    "allegro": "kappakit.engines.allegro.potential:load",
    "tersoff-bcn": "kappakit.engines.analytic:tersoff_bcn",
    "lennard-jones": "kappakit.engines.analytic:lennard_jones",
    "emt": "kappakit.engines.analytic:emt",
}

COMMITTEES: dict[str, str] = {"allegro": "kappakit.engines.allegro.committee:load"}

DFT_CODES: dict[str, str] = {
    "gpaw": "kappakit.engines.gpaw.code:load",
    "vasp": "kappakit.engines.vasp.code:load",
    "surrogate": "kappakit.engines.surrogate:load",
}

GENERATORS: dict[str, str] = {
    "search": "kappakit.engines.search.generator:load",
    "cdvae": "kappakit.engines.cdvae.generator:load",
}

TRAINERS: dict[str, str] = {"allegro": "kappakit.engines.allegro.trainer:AllegroTrainer"}

GENERATOR_TRAINERS: dict[str, str] = {"cdvae": "kappakit.engines.cdvae.trainer:CdvaeTrainer"}

INTERACTIONS: dict[str, str] = {
    "torch": "kappakit.engines.boltzmann.torch_kernel:TorchInteractions",
    "phono3py": "kappakit.engines.boltzmann.phono3py_kernel:Phono3pyInteractions",
}


def resolve(mapping: Mapping[str, str], name: str, what: str) -> Any:
    """The object that `mapping` names; raises InputError for an unknown name."""
    if name not in mapping:
        raise InputError(f"no {what} {name!r}; there are {', '.join(mapping)}")
    module, attribute = mapping[name].split(":")
    return getattr(importlib.import_module(module), attribute)
