"""`manage.py login_link USER`: the path of a one-time login link."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from apps.accounts.selectors import user_named
from apps.accounts.services import login_link_create
from apps.core import clock
from apps.core.errors import NotThere


class Command(BaseCommand):
    help = "Print the path of a one-time login link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> str:
        try:
            user = user_named(options["username"])
        except NotThere as error:
            raise CommandError(error.message) from error
        token = login_link_create(user=user, now=clock.now())
        return reverse("login-link", kwargs={"token": token})
