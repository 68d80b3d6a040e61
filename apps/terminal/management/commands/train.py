"""Train a potential and follow it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from apps.accounts.selectors import user_named
from apps.core.errors import ApplicationError
from apps.jobs.selectors import of_group
from apps.terminal.jobs import follow_job, group_outcome
from apps.training.selectors import model_get, models_list, potentials_ready, training_group
from apps.training.services import training_resume, training_start

if TYPE_CHECKING:
    from apps.training.models import TrainedModel


class Command(BaseCommand):
    help = "Train a potential from a named configuration and follow it; resume one that failed or was cancelled."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("configuration", help="carbon-tiny, carbon-laptop or carbon-paper")
        parser.add_argument("--name", help="of the trained model; default: the configuration's")
        parser.add_argument("--data", type=Path, help="extended XYZ with energies, forces, stresses, groups")
        parser.add_argument("--teacher", help="a trained model that labels the geometries")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="override a setting")
        parser.add_argument("--always", action="append", default=[], metavar="GROUP", help="a group that always trains")
        parser.add_argument("--user", default="scientist")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = _start(options)
        except ApplicationError as refusal:
            raise CommandError(refusal.message) from refusal
        ended = follow_job(of_group(training_group(model.pk)).get(), Console())
        if why := group_outcome(ended):
            raise CommandError(why)
        for line in _described(model_get(model.pk)):
            self.stdout.write(line)


def _start(options: dict[str, Any]) -> TrainedModel:
    teacher = potentials_ready().filter(name=options["teacher"]).first()
    if options["teacher"] and teacher is None:
        raise CommandError(f"There is no finished model called {options['teacher']}.")
    name, user = options["name"] or options["configuration"], user_named(options["user"])
    known = models_list().filter(name=name).first()
    if known is not None and known.state in ("FAILED", "CANCELLED"):
        return training_resume(model=known, user=user)
    return training_start(
        name=name,
        configuration=options["configuration"],
        data_set=options["data"],
        teacher=teacher,
        seed=options["seed"],
        overrides=dict(_override(text) for text in options["set"]),
        always_train=options["always"],
        user=user,
    )


def _override(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise CommandError(f"--set {text}: write NAME=NUMBER") from error


def _described(model: TrainedModel) -> list[str]:
    lines = [f"{model.name} is {model.get_state_display().lower()}: sha256 {model.sha256}"]
    return [*lines, model.warning] if model.warning else lines
