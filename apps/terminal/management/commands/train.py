"""Train a potential and follow it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from apps.terminal.trainings import TrainingCommand, overrides
from apps.training.selectors import potentials_ready
from apps.training.services import training_start

if TYPE_CHECKING:
    from apps.training.models import TrainedModel


class Command(TrainingCommand):
    help = "Train a potential from a named configuration and follow it; resume one that failed or was cancelled."
    model_kind = "potential"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("configuration", help="carbon-tiny, carbon-laptop or carbon-paper")
        parser.add_argument("--name", help="of the trained model; default: the configuration's")
        parser.add_argument("--data", type=Path, help="extended XYZ with energies, forces, stresses, groups")
        parser.add_argument("--teacher", help="a trained model that labels the geometries")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="override a setting")
        parser.add_argument("--always", action="append", default=[], metavar="GROUP", help="a group that always trains")
        parser.add_argument("--user", default="scientist")

    def named(self, options: dict[str, Any]) -> str:
        return options["name"] or options["configuration"]

    def started(self, name: str, options: dict[str, Any], user: Any) -> TrainedModel:
        teacher = potentials_ready().filter(name=options["teacher"]).first()
        if options["teacher"] and teacher is None:
            raise CommandError(f"There is no finished model called {options['teacher']}.")
        return training_start(
            name=name,
            configuration=options["configuration"],
            data_set=options["data"],
            teacher=teacher,
            seed=options["seed"],
            overrides=overrides(options["set"], "--set", float),
            always_train=options["always"],
            user=user,
        )
