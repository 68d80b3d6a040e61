"""`manage.py login_link USER`: the path of a one-time login link."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse

from apps.accounts.services import login_link_create, owner_ensure
from apps.core import clock


class Command(BaseCommand):
    help = "Print the path of a one-time login link; a new user becomes an owner of this installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> str:
        token = login_link_create(user=owner_ensure(username=options["username"]), now=clock.now())
        return reverse("login-link", kwargs={"token": token})
