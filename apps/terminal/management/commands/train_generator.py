"""Train a generator and follow it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from apps.terminal.trainings import TrainingCommand, number_or_word, overrides
from apps.training.services import CONFIGURATIONS, SPLITS, generator_training_start
from kappakit.ports import PARTS

if TYPE_CHECKING:
    from apps.training.models import TrainedModel

FORMATS = "CIF, POSCAR, AIRSS res, extxyz, Carbon-24 CSV, a zip of them, or ase.db"


class Command(TrainingCommand):
    help = "Train a generator (CDVAE) on crystals and follow it; resume one that failed or was cancelled."
    model_kind = "generator"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the trained model")
        parser.add_argument("--train", type=Path, metavar="FILE", help=f"crystals to learn from: {FORMATS}")
        parser.add_argument("--validation", type=Path, metavar="FILE", help="held out, for the curves")
        parser.add_argument("--test", type=Path, metavar="FILE", help="held out, to be measured against")
        parser.add_argument(
            "--split", choices=SPLITS, default=SPLITS[0], help="grouped: split anew, by distinct crystal, 60/20/20"
        )
        parser.add_argument("--configuration", choices=CONFIGURATIONS, default=CONFIGURATIONS[0])
        parser.add_argument("--minutes", type=float, default=0.0, help="end after so long; default: all steps")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--override", action="append", default=[], metavar="NAME=VALUE", help="override a setting")
        parser.add_argument("--user", default="scientist")

    def started(self, name: str, options: dict[str, Any], user: Any) -> TrainedModel:
        return generator_training_start(
            name=name,
            configuration=options["configuration"],
            files={part: _file(options[part]) for part in PARTS if options[part]},
            split=options["split"],
            seed=options["seed"],
            minutes=options["minutes"],
            overrides=overrides(options["override"], "--override", number_or_word),
            user=user,
        )


def _file(path: Path) -> tuple[str, Path]:
    if not path.is_file():
        raise CommandError(f"{path} is not a file.")
    return path.name, path
