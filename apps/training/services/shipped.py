"""The models that come with the program: folders of `models/`, and analytic potentials."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.artifacts import services as artifacts
from apps.core.errors import ApplicationError
from apps.training.models import ModelFile, ModelKind, ModelState, TrainedModel
from apps.training.services.trainings import facts_of_card
from kappakit.stages.contracts import FINGERPRINTS

ALLEGRO = "allegro"
WEIGHTS, DESCRIPTION, CARD, CURVE = "model.safetensors", "model.json", "card.json", "curve.jsonl"
NEEDED = (WEIGHTS, DESCRIPTION, CARD)
OPTIONAL = ("descriptors.safetensors", "crystals.safetensors", FINGERPRINTS)
GENERATOR_ENGINES = ("cdvae",)
ANALYTIC = {
    "tersoff-bcn": (
        "tersoff-bcn",
        ("B", "C", "N"),
        "K. Matsunaga et al., Jpn. J. Appl. Phys. 39, L48 (2000), by matscipy",
    ),
}
"""Name → engine in kappakit.engines.registry, chemical symbols, version."""
EMPIRICAL = "An empirical potential: for controls and for trying things out, not for ranking."


class ModelDamaged(ApplicationError):
    """A model's folder lacks a file, or its weights are not those that its card names."""

    code = "model_damaged"
    status = 409


def shipped_models_register(folder: Path | None = None) -> list[TrainedModel]:
    """A READY row for each folder of `models/`; idempotent. Raises ModelDamaged.

    A folder whose weights changed becomes a model of its own name and digest: results keep the one that they have.
    """
    root = folder or Path(settings.BASE_DIR) / "models"
    found = sorted(p for p in root.iterdir() if (p / DESCRIPTION).exists()) if root.is_dir() else []
    return [_registered(path) for path in found]


def analytic_models_register() -> list[TrainedModel]:
    """A READY row for each analytic potential that may run a campaign; idempotent."""
    rows = []
    for name, (engine, species, version) in ANALYTIC.items():
        facts = {"engine": engine, "species": list(species), "version": version, "state": ModelState.READY}
        rows.append(TrainedModel.objects.get_or_create(name=name, defaults=facts | {"warning": EMPIRICAL})[0])
    return rows


def _registered(folder: Path) -> TrainedModel:
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelDamaged(f"The shipped model {folder.name} lacks {', '.join(missing)}.")
    sha256 = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    card = json.loads((folder / CARD).read_text())
    if card.get("sha256", sha256) != sha256:
        raise ModelDamaged(f"The weights of the shipped model {folder.name} are not those that its card names.")
    known = TrainedModel.objects.filter(sha256=sha256, state=ModelState.READY).first()
    if known is None:
        return _register(folder, sha256, card)
    _refill(known, folder)
    return known


def _refill(model: TrainedModel, folder: Path) -> None:
    """Store again what was deleted from the storage folder; a look at each file and no more where nothing was."""
    for row in ModelFile.objects.filter(model=model).select_related("artifact"):
        if not artifacts.path_of_digest(row.artifact.sha256).exists() and (folder / row.name).is_file():
            artifacts.store(folder / row.name, kind=row.name)


@transaction.atomic
def _register(folder: Path, sha256: str, card: dict[str, Any]) -> TrainedModel:
    taken = TrainedModel.objects.filter(name=folder.name).exists()
    model = TrainedModel.objects.create(
        kind=ModelKind.GENERATOR if card.get("engine") in GENERATOR_ENGINES else ModelKind.POTENTIAL,
        name=f"{folder.name} {sha256[:8]}" if taken else folder.name,
        engine=card.get("engine", ALLEGRO),
        configuration=_configuration_name(card, folder),
        seed=card.get("seed", 0),
        state=ModelState.READY,
        sha256=sha256,
        curve=_curve(folder / CURVE),
        finished_at=Now(),
        **facts_of_card(card),
    )
    names = [name for name in (*NEEDED, *OPTIONAL) if (folder / name).is_file()]
    ModelFile.objects.bulk_create(
        ModelFile(model=model, name=name, artifact=artifacts.store(folder / name, kind=name)) for name in names
    )
    model.refresh_from_db()
    return model


def _configuration_name(card: Mapping[str, Any], folder: Path) -> str:
    described = card.get("configuration")
    return str(described.get("name", folder.name) if isinstance(described, dict) else described or folder.name)[:50]


def _curve(path: Path) -> list[list[float]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [list(json.loads(line).values()) for line in lines]
