"""Checking a DFT engine on a crystal that everybody knows: diamond's equation of state, through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.campaigns import selectors as campaigns
from apps.campaigns import services as campaign_services
from apps.dft.selectors import budget_of
from apps.dft.services import Asked, budget_grant, calculations_decide, request_propose
from kappakit.crystals import Crystal
from kappakit.dft import LABEL, DftTask
from kappakit.equation_of_state import EquationOfState, fitted
from kappakit.protocol import DftRunSettings, DftSettings
from kappakit.units import gpa_from_ev_per_a3

NAME = "DFT checks"
LATTICE = 3.575
"""Å, about which the volumes lie."""
STRAINS = (-0.018, -0.012, -0.006, 0.0, 0.006, 0.012, 0.018)
"""Of the lattice constant: ±5.5 % in volume."""


def diamond(lattice: float) -> Crystal:
    """Diamond's primitive cell with a lattice constant in Å."""
    cell = lattice / 2 * (np.ones((3, 3)) - np.eye(3))
    return Crystal.from_symbols(cell, [[0.0] * 3, [0.25] * 3], ["C", "C"])


def check_campaign(owner: Any, approver: Any) -> Any:
    """The draft campaign that holds the checks, with its approver."""
    found = campaigns.campaigns_visible(owner).filter(name=NAME).first()
    if found is None:
        found = campaign_services.campaign_create(
            name=NAME, owner=owner, protocol={}, description="Checks of DFT engines against known crystals."
        )
        campaign_services.membership_set(campaign=found, user=approver, roles=["approver"], by=owner)
    return found


def check_propose(campaign: Any, owner: Any, settings: DftSettings, run: DftRunSettings) -> Any:
    """The request for diamond's equation of state by these settings; the old one where it was asked before."""
    tasks = [(f"a = {LATTICE * (1 + s):.4f} Å", DftTask(LABEL, diamond(LATTICE * (1 + s)), settings)) for s in STRAINS]
    key = f"check/{settings.engine}/{settings.functional}/{settings.cutoff:g}/{settings.k_spacing:g}/{settings.spin:d}"
    asked = Asked(
        "check",
        key,
        f"Diamond's equation of state, {settings.functional}, {settings.cutoff:g} eV, {settings.k_spacing:g} 1/Å",
        "Whether the engine gives the lattice constant and bulk modulus that it should.",
    )
    return request_propose(campaign=campaign, asked=asked, tasks=tasks, run=run, proposed_by=owner)


def approve_all(request: Any, approver: Any) -> None:
    """Decide on what waits as `approver`, with core-hours enough for it."""
    waiting = list(request.calculations.filter(state="PROPOSED").order_by("order"))
    needed = sum(c.estimate for c in waiting) - budget_of(request.campaign).left
    if waiting and needed >= 0:
        budget_grant(campaign=request.campaign, core_hours=needed + 1.0, user=approver, reason="For a check.")
    calculations_decide(shown=[(c.pk, c.version) for c in waiting], answer="approve", user=approver)


def equation_of_state(calculations: Sequence[Any]) -> EquationOfState:
    """The fit of done calculations; energies are the force-consistent ones. Raises InputError."""
    rows = [c for c in calculations if c.state == "DONE"]
    volumes = [abs(np.linalg.det(np.array(c.outcome.cell))) for c in rows]
    return fitted(np.array(volumes), np.array([c.outcome.energy for c in rows]))


def told(fit: EquationOfState) -> str:
    """The fit in words."""
    lattice = (4.0 * fit.volume) ** (1.0 / 3.0)
    return (
        f"a = {lattice:.4f} Å, {fit.volume / 2:.4f} Å³/atom, B = {gpa_from_ev_per_a3(fit.bulk_modulus):.1f} GPa, "
        f"B' = {fit.derivative:.2f}, E = {fit.energy / 2:.4f} eV/atom, rms of the fit {fit.rms * 500:.3f} meV/atom"
    )
