"""The demo's campaign: which one it is, how it begins, how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apps.accounts import selectors as accounts
from apps.campaigns import selectors as campaigns
from apps.campaigns import services
from apps.dft.selectors import grants_of
from apps.dft.services import budget_grant
from apps.structures.services import import_file_add
from apps.terminal.progress import Snapshot
from apps.training import selectors as training
from kappakit.protocol import PROTOCOLS

NAME = "Carbon demo"
POTENTIAL = "carbon-laptop"
GENERATOR = "carbon-cdvae"
DATA = Path(__file__).resolve().parents[2] / "kappakit" / "data"
DEMO_FILE, SMOKE_FILE = DATA / "demo_carbon.extxyz", DATA / "smoke_carbon.extxyz"
FILES = {"demo": DEMO_FILE, "committee": DEMO_FILE, "replay": None, "smoke": SMOKE_FILE}

DESCRIPTIONS = {
    "demo": "Known carbon crystals, perturbed, and crystals that a CDVAE trained on Carbon-24 proposes.",
    "committee": "As the demo, with a committee of potentials that learns from GPAW where it is unsure.",
    "replay": "A committee at scale; the shipped potential stands for DFT, as every record says.",
    "smoke": "Known carbon crystals, perturbed, and crystals of a random symmetric search.",
}

EXIT_DONE, EXIT_NOTHING_RANKED, EXIT_HALTED, EXIT_CANCELLED = 0, 3, 4, 5


def demo_campaign(protocol: str, *, fresh: bool, grant: float = 0.0) -> Any:
    """The newest demo campaign under `protocol`, ready to run on; a new one if there is none or `fresh` asks for it.

    `grant`: core-hours that its DFT labels may spend without asking (0: each waits for an approver).
    """
    owner = accounts.user_named("scientist")
    mine = campaigns.campaigns_visible(owner).filter(name__startswith=NAME)
    found = mine.filter(protocol_digest=PROTOCOLS[protocol].digest).exclude(state="ARCHIVED").first()
    if found is None or fresh:
        found = _create(protocol, owner, number=mine.count() + 1)
    hours_granted(found, grant)
    if found.state == "DRAFT":
        services.campaign_start(campaign=found, user=owner)
    elif found.state in ("HALTED", "CANCELLED"):
        services.campaign_resume(campaign=found, user=owner)
    return found


def hours_granted(campaign: Any, core_hours: float) -> None:
    """Let labels spend so much without asking, in the name of the user `approver`; once for each campaign."""
    if core_hours and not grants_of(campaign).exists():
        budget_grant(
            campaign=campaign,
            core_hours=core_hours,
            user=accounts.user_named("approver"),
            automatic=True,
            reason="Given on the command line of the demo.",
        )


def exit_code(snapshot: Snapshot, ranked: int) -> int:
    """0 with a ranked table; else what stands in the way."""
    if snapshot.state == "HALTED":
        return EXIT_HALTED
    if snapshot.state == "CANCELLED":
        return EXIT_CANCELLED
    return EXIT_DONE if ranked else EXIT_NOTHING_RANKED


def _create(protocol: str, owner: Any, number: int) -> Any:
    name = NAME if number == 1 else f"{NAME} {number}"
    campaign = services.campaign_create(
        name=name,
        description=DESCRIPTIONS[protocol],
        owner=owner,
        protocol=PROTOCOLS[protocol].as_dict(),
        potential=training.potentials_ready().filter(name=POTENTIAL).first(),
        generator=training.generators_ready().filter(name=GENERATOR).first(),
        seed=0,
    )
    file = FILES[protocol]
    if file is not None:
        import_file_add(campaign=campaign, file_name=file.name, content=file, user=owner)
    approver = accounts.user_named("approver")
    services.membership_set(campaign=campaign, user=approver, roles=["reviewer", "approver"], by=owner)
    return campaign
