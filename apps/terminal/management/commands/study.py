"""A convergence study of a candidate, started and followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from apps.accounts.selectors import user_named
from apps.conductivity.selectors.studies import study_get, study_offers
from apps.conductivity.selectors.study_facts import StudyFacts, study_facts
from apps.conductivity.services import study_start
from apps.conductivity.study_values import PARAMETERS
from apps.core.errors import ApplicationError
from apps.structures.selectors import candidate_get
from apps.terminal.studies import follow_study

if TYPE_CHECKING:
    from apps.accounts.models import User


class Command(BaseCommand):
    help = "κ_L of a candidate against one number of its settings: computed in the queue, stored, followed, printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("candidate", type=int, help="id of the candidate, as in the address of its page")
        parser.add_argument("parameter", choices=PARAMETERS)
        parser.add_argument(
            "values",
            type=float,
            nargs="*",
            help="Å, or repetitions where supercells repeat; none: the study of this parameter that runs is followed, "
            "or one with values about the present one is started",
        )
        parser.add_argument("--user", default="scientist")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = user_named(options["user"])
            pk = _begun(user, options)
        except ApplicationError as refusal:
            raise CommandError(refusal.message) from refusal
        try:
            ended = follow_study(lambda: _look(user, pk), Console())
        except KeyboardInterrupt:
            again = f"kappaweb study {options['candidate']} {options['parameter']}"
            self.stdout.write(
                f"Nothing is cancelled: study {pk} goes on. See it at /studies/{pk}/, or follow it: {again}"
            )
            return
        if why := _shortfall(ended):
            raise CommandError(why)


def _begun(user: User, options: dict[str, Any]) -> int:
    """The id of the study to follow; raises ApplicationError."""
    candidate, parameter = candidate_get(user, options["candidate"]), options["parameter"]
    values = options["values"]
    if not values:
        offer = next(offer for offer in study_offers(candidate) if offer.varied.name == parameter)
        if offer.running:
            return offer.running
        values = offer.values
    return study_start(candidate=candidate, user=user, parameter=parameter, values=values).pk


def _look(user: User, pk: int) -> StudyFacts:
    (facts,) = study_facts([study_get(user, pk)])
    return facts


def _shortfall(study: StudyFacts) -> str:
    """Why not every point is there, '' where they are."""
    return "" if study.done == len(study.points) else study.state_words
