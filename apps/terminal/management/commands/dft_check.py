"""Diamond's equation of state by a DFT engine, through the gate."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.selectors import user_named
from apps.core.errors import ApplicationError
from apps.dft.selectors import calculations_visible, why_open
from apps.terminal.dft_check import approve_all, check_campaign, check_propose, equation_of_state, told
from kappakit.errors import InputError
from kappakit.protocol import DftRunSettings, DftSettings, Protocol

POLL_S = 2.0


class Command(BaseCommand):
    help = (
        "Diamond's lattice constant and bulk modulus by a DFT engine: seven volumes, approved and computed as any DFT."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--engine", default="gpaw")
        parser.add_argument("--functional", default="optB88-vdW")
        parser.add_argument("--cutoff", type=float, default=600.0, help="eV")
        parser.add_argument("--k-spacing", type=float, default=0.4, help="1/Å, with 2π")
        parser.add_argument("--spin", action="store_true")
        parser.add_argument(
            "--approve", action="store_true", help="decide as the user `approver`, and grant what it takes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner, approver = user_named("scientist"), user_named("approver")
            request = check_propose(check_campaign(owner, approver), owner, _settings(options), DftRunSettings())
            if options["approve"]:
                approve_all(request, approver)
        except ApplicationError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{request.title} (page /dft/requests/{request.pk}/)")
        self._follow(request)
        self._print(request, owner)

    def _follow(self, request: Any) -> None:
        shown = ""
        while why := why_open(request.campaign, request.key):
            if why != shown:
                self.stdout.write(why)
            shown = why
            time.sleep(POLL_S)

    def _print(self, request: Any, owner: Any) -> None:
        rows = list(calculations_visible(owner).filter(request=request).exclude(state="VOIDED"))
        for row in rows:
            got = f"{row.outcome.energy:.6f} eV, {row.outcome.seconds:.0f} s" if row.state == "DONE" else row.message
            self.stdout.write(f"  {row.label}: {row.get_state_display()}  {got}")
        try:
            self.stdout.write(told(equation_of_state(rows)))
        except InputError as error:
            raise CommandError(str(error)) from error


def _settings(options: dict[str, Any]) -> DftSettings:
    names = ("engine", "functional", "cutoff", "k_spacing", "spin")
    return Protocol.from_dict({"dft": {name: options[name] for name in names}}).dft
