"""Run the demo's campaign to its end and print the ranked table."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from rich.console import Console

from apps.accounts.selectors import user_named
from apps.campaigns.selectors import campaign_get, steps_of, why_waiting
from apps.reviews.selectors import ranked_table
from apps.terminal.demo import demo_campaign, exit_code
from apps.terminal.progress import Snapshot, follow
from apps.terminal.ranking import print_ranked
from kappakit.protocol import PROTOCOLS

LOG_WIDTH = 150


class Command(BaseCommand):
    help = "Run the demo's campaign to its end and print the ranked table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--protocol", choices=[name for name in PROTOCOLS if name != "paper"], default="demo")
        parser.add_argument("--grant", type=float, default=0.0, help="core-hours that DFT labels may spend unasked")
        parser.add_argument("--fresh", action="store_true", help="start a new campaign")

    def handle(self, *args: Any, **options: Any) -> None:
        console = terminal()
        campaign = demo_campaign(options["protocol"], fresh=options["fresh"], grant=options["grant"])
        console.print(f"Campaign “{campaign.name}” (page /campaigns/{campaign.pk}/)", highlight=False)
        end = follow(lambda: look(campaign.pk), console)
        if end.reason:
            console.print(end.reason, style="bold red", highlight=False)
        table = ranked_table(campaign)
        print_ranked(table, console)
        sys.exit(exit_code(end, len(table.rows)))


def terminal() -> Console:
    """The console; a file or pipe is wide enough for the ranked table."""
    console = Console()
    return console if console.is_terminal else Console(width=LOG_WIDTH)


def look(campaign_id: int) -> Snapshot:
    """The campaign as it stands now."""
    campaign = campaign_get(user_named("scientist"), campaign_id)
    steps = tuple(steps_of(campaign, now=timezone.now()))
    over = campaign.state not in ("RUNNING", "DRAFT")
    return Snapshot(campaign.state, why_waiting(campaign) if over else "", steps, over=over)
