"""What the commands share that train models or measure them: begin or resume, follow the job, say how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from apps.accounts.selectors import user_named
from apps.core.errors import ApplicationError
from apps.jobs.selectors import of_group
from apps.terminal.jobs import follow_job, group_outcome
from apps.training.selectors import model_get, models_list, training_group
from apps.training.services import training_resume

if TYPE_CHECKING:
    from apps.jobs.models import Job
    from apps.training.models import TrainedModel


class FollowingCommand(BaseCommand):
    """Begins a job, follows it and prints what came of it; what is refused or fails is a CommandError."""

    def begin(self, options: dict[str, Any]) -> Job:
        """The job to follow; raises ApplicationError."""
        raise NotImplementedError

    def ended(self, job: Job) -> list[str]:
        """Lines about a job that is done."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = self.begin(options)
        except ApplicationError as refusal:
            raise CommandError(refusal.message) from refusal
        ended = follow_job(job, Console())
        if why := group_outcome(ended):
            raise CommandError(why)
        for line in self.ended(ended):
            self.stdout.write(line)


class TrainingCommand(FollowingCommand):
    """Trains a model of a kind, or resumes one of that name that failed or was cancelled."""

    model_kind = ""

    def started(self, name: str, options: dict[str, Any], user: Any) -> TrainedModel:
        """A new model in training; raises ApplicationError."""
        raise NotImplementedError

    def named(self, options: dict[str, Any]) -> str:
        """The model's name."""
        return options["name"]

    def begin(self, options: dict[str, Any]) -> Job:
        name, user = self.named(options), user_named(options["user"])
        known = models_list().filter(name=name, kind=self.model_kind, state__in=("FAILED", "CANCELLED")).first()
        model = training_resume(model=known, user=user) if known else self.started(name, options, user)
        return of_group(training_group(model.pk)).get()

    def ended(self, job: Job) -> list[str]:
        (unit,) = job.units
        model = model_get(int(unit))
        lines = [f"{model.name} is {model.get_state_display().lower()}: sha256 {model.sha256}"]
        return [*lines, model.warning] if model.warning else lines


def overrides(texts: list[str], option: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """NAME → value of NAME=VALUE texts; raises CommandError for what `read` refuses with a ValueError."""
    return dict(_override(text, option, read) for text in texts)


def number_or_word(text: str) -> Any:
    """A number where it reads as one."""
    try:
        return float(text)
    except ValueError:
        return text


def _override(text: str, option: str, read: Callable[[str], Any]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        if not (name and equals and value):
            raise ValueError(text)
        return name, read(value)
    except ValueError as error:
        raise CommandError(f"{option} {text}: write NAME={'NUMBER' if read is float else 'VALUE'}") from error
