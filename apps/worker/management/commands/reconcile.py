"""`manage.py reconcile`: the loop that puts right what events missed."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, connection

from apps.worker.reconcile import reconcile
from apps.worker.registry import BINDINGS

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Return expired leases, advance campaigns, send lost wake-ups again, every few seconds."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One pass.")

    def handle(self, *args: Any, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        while not over.is_set():
            self._pass()
            if options["once"]:
                return
            over.wait(settings.RECONCILE_SECONDS)

    def _pass(self) -> None:
        try:
            reconcile(BINDINGS)
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database is away: %s", error)
            connection.close()
