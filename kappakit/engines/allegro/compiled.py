"""Compiled models by AOT Inductor, cached on this machine. A cache entry is native code that we wrote ourselves.

An entry's name digests weights, library versions, precision and processor; beside it lies the sha256 of its bytes,
checked before it is loaded. Compiling needs a C++ compiler; without one the model runs uncompiled.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from pathlib import Path

import torch
from nequip.data import AtomicDataDict as keys
from nequip.model.inference_models import load_compiled_model
from nequip.scripts._compile_utils import BATCH_INPUTS
from nequip.utils.aot import aot_export_model
from nequip.utils.aoti_metadata import NEQUIP_AOTI_INPUTS_KEY, NEQUIP_AOTI_OUTPUTS_KEY, serialize_aoti_keys
from nequip.utils.global_state import TF32_KEY

from kappakit.engines.allegro.graphs import Graph
from kappakit.engines.allegro.versions import VERSION

OUTPUTS = [keys.TOTAL_ENERGY_KEY, keys.FORCE_KEY, keys.STRESS_KEY]
CACHE_VARIABLE = "KAPPAWEB_CACHE"
EXPORT_SEED = 1


def cache_folder(given: Path | None = None) -> Path:
    """The given folder, else $KAPPAWEB_CACHE, else ~/.cache/kappaweb."""
    return given or Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "kappaweb")


def compiler() -> str | None:
    """Path of the C++ compiler that AOT Inductor would use, None where there is none."""
    return shutil.which(os.environ.get("CXX") or "g++")


def entry_name(sha256: str, dtype: str) -> str:
    """Digest of all that the compiled code depends on."""
    content = "|".join([sha256, dtype, VERSION, platform.machine(), _processor_flags()])
    return hashlib.sha256(content.encode()).hexdigest()


def _processor_flags() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())


def compiled(network: torch.nn.Module, *, sha256: str, dtype: str, example: Graph, cache: Path) -> torch.nn.Module:
    """The compiled network, from the cache or compiled now (about a minute). `example`: a graph of two crystals."""
    path = cache / f"{entry_name(sha256, dtype)}.nequip.pt2"
    if not _intact(path):
        _compile(network, example, path)
    model, _ = load_compiled_model(str(path), "cpu", list(BATCH_INPUTS), OUTPUTS)
    return model


def _intact(path: Path) -> bool:
    record = _record(path)
    return path.exists() and record.exists() and record.read_text() == _sha256(path)


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _compile(network: torch.nn.Module, example: Graph, path: Path) -> None:
    """Compile beside the cache entry and rename: two processes at once both end with a whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        fresh = Path(folder) / path.name
        aot_export_model(
            model=network,
            device="cpu",
            input_fields=list(BATCH_INPUTS),
            output_fields=OUTPUTS,
            data=example,
            batch_map={name: torch.export.Dim(f"num_{name}s", min=2) for name in ("graph", "node", "edge")},
            output_path=str(fresh),
            inductor_configs={"aot_inductor.metadata": _metadata(network)},
            seed=EXPORT_SEED,
        )
        _record(fresh).write_text(_sha256(fresh))
        _record(path).unlink(missing_ok=True)
        fresh.replace(path)
        _record(fresh).replace(_record(path))


def _metadata(network: torch.nn.Module) -> dict[str, str]:
    return {
        **{key: str(value) for key, value in dict(network.metadata).items()},  # type: ignore[arg-type]
        TF32_KEY: "0",
        NEQUIP_AOTI_INPUTS_KEY: serialize_aoti_keys(list(BATCH_INPUTS)),
        NEQUIP_AOTI_OUTPUTS_KEY: serialize_aoti_keys(OUTPUTS),
    }
