"""Measure a generator and follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from apps.accounts.selectors import user_named
from apps.terminal.trainings import FollowingCommand
from apps.training.selectors import generators_ready, model_get, quality_of
from apps.training.services import ASSESSED, RECONSTRUCTED, assessment_start

if TYPE_CHECKING:
    from apps.jobs.models import Job
    from apps.training.selectors import GeneratorQuality


class Command(FollowingCommand):
    help = "Measure a generator against its test crystals, follow it and print the figures."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of a generator that is ready")
        parser.add_argument("--count", type=int, default=ASSESSED, help=f"crystals to generate; default {ASSESSED}")
        parser.add_argument(
            "--reconstructed", type=int, default=RECONSTRUCTED, help=f"test crystals; default {RECONSTRUCTED}"
        )
        parser.add_argument("--user", default="scientist")

    def begin(self, options: dict[str, Any]) -> Job:
        model = generators_ready().filter(name=options["name"]).first()
        if model is None:
            raise CommandError(f"There is no generator called {options['name']} that is ready.")
        return assessment_start(
            model=model,
            count=options["count"],
            reconstructed=options["reconstructed"],
            user=user_named(options["user"]),
        )

    def ended(self, job: Job) -> list[str]:
        (unit,) = job.units
        model = model_get(int(unit))
        quality = quality_of(model.card)
        return [model.name, *(described(quality) if quality else ["no figures"])]


def described(quality: GeneratorQuality) -> list[str]:
    """The figures, one a line; '–' where nothing was measured."""
    again, made = quality.reconstruction, quality.generation
    rows = [
        (f"reconstruction of {again.crystals}, matched", again.match, "%"),
        ("reconstruction, RMSE", again.rmse, "(V/N)^(1/3)"),
        (f"valid of {made.crystals}", made.valid, "%"),
        ("plausible", made.plausible, "%"),
        ("COV-R", made.recall, "%"),
        ("COV-P", made.precision, "%"),
        ("density, Wasserstein distance", made.density_wasserstein, "g/cm³"),
        ("energy, Wasserstein distance", made.energy_wasserstein, "eV/atom"),
        ("time a crystal", made.seconds_each, "s"),
    ]
    return [f"  {what:32} {_number(value, unit):>9} {unit}" for what, value, unit in rows]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.2f}" if unit == "%" else f"{value:.4f}"
