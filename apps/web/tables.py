"""Lists as tables; every header names its unit."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.reviews.words import ESTIMATE, convergence_words
from apps.web.templatetags import units

SELECT_ALL = SafeString(
    '<input type="checkbox" class="form-check-input" data-select-all aria-label="Select all on this page">'
)
NUMBER = {"td": {"class": "num"}, "th": {"class": "num"}}
WRAPPED = {"td": {"class": "num"}, "th": {"class": "num wraps"}}
"""Of a long header."""


def head(title: str, unit: str = "") -> SafeString:
    """A header with its unit below."""
    shown = units.typeset(title)
    return format_html('{} <span class="unit">{}</span>', shown, unit) if unit else shown


def link(url: str, text: str) -> SafeString:
    """A link of a cell."""
    return format_html('<a href="{}">{}</a>', url, text)


class NumberColumn(tables.Column):
    """Right-aligned, `digits` significant ones."""

    def __init__(self, title: str, unit: str = "", digits: int = 3, **kwargs: Any) -> None:
        super().__init__(verbose_name=head(title, unit), **({"attrs": NUMBER} | kwargs))
        self.digits = digits

    def render(self, value: float) -> str:
        return units.num(value, self.digits)


class FixedColumn(NumberColumn):
    """`digits` decimals."""

    def render(self, value: float) -> str:
        return units.fixed(value, self.digits)


class KappaColumn(NumberColumn):
    """κ_L in W/(m·K)."""

    def __init__(self, title: str, **kwargs: Any) -> None:
        super().__init__(title, "W/(m·K)", **kwargs)

    def render(self, value: float) -> str:
        return units.kappa(value)


class StateColumn(tables.Column):
    """A coloured word."""

    def render(self, value: str) -> SafeString | str:
        return units.state(value)


class CandidateTable(tables.Table):
    """Rows of CandidateSummary."""

    choose = tables.Column(empty_values=(), orderable=False, verbose_name=SELECT_ALL)
    index = tables.Column(verbose_name="#", attrs=NUMBER)
    name = tables.Column(verbose_name="Name", empty_values=())
    formula = tables.Column(verbose_name="Formula", orderable=False)
    space_group_number = tables.Column(verbose_name="Space group")
    n_atoms = NumberColumn("N", "atoms")
    promise = KappaColumn(ESTIMATE, attrs=WRAPPED)
    kappa_rta = KappaColumn("κ_L (RTA)")
    kappa_lbte = KappaColumn("κ_L (LBTE)")
    converged = tables.Column(verbose_name="Converged", orderable=False, empty_values=())
    uncertainty = NumberColumn("Uncertainty", "meV/atom", 2)
    above_hull = FixedColumn("Above hull", "eV/atom", 3)
    density = FixedColumn("Density", "g/cm³", 2)
    dynamical = StateColumn(verbose_name="Phonons", orderable=False)
    novelty = StateColumn(verbose_name="Novelty")
    outcome = StateColumn(verbose_name="Outcome")
    verdict = StateColumn(verbose_name="Review", orderable=False)

    class Meta:
        attrs: dict[str, str] = {}
        default = units.ABSENT

    def render_choose(self, record: Any) -> SafeString:
        return format_html(
            '<input type="checkbox" class="form-check-input" name="candidates" value="{}" form="chosen"'
            ' aria-label="Select #{}">',
            record.candidate_id,
            record.index,
        )

    def render_name(self, record: Any) -> SafeString:
        named = link(reverse("candidate", args=[record.candidate_id]), record.name or f"#{record.index}")
        return format_html("{} {}", named, units.state("excluded")) if record.excluded else named

    def render_converged(self, record: Any) -> SafeString | str:
        if not record.trust_label:
            return units.ABSENT
        return units.convergence(
            convergence_words(record.kappa_change, record.kappa_error, record.converged), record.converged
        )

    def render_formula(self, value: str) -> SafeString:
        return units.formula(value)

    def render_space_group_number(self, record: Any) -> SafeString:
        return format_html("{} ({})", units.spacegroup(record.space_group), record.space_group_number)


class JobTable(tables.Table):
    """Jobs, newest first."""

    id = tables.Column(verbose_name="#", attrs=NUMBER)
    label = tables.Column(verbose_name="Job")
    queue = tables.Column(verbose_name="Queue")
    state = StateColumn(verbose_name="State")
    progress_done = tables.Column(verbose_name="Progress", empty_values=())
    attempt = NumberColumn("Attempts")
    created_at = tables.DateTimeColumn(verbose_name="Queued (UTC)", format="Y-m-d H:i:s")
    finished_at = tables.DateTimeColumn(verbose_name="Ended (UTC)", format="Y-m-d H:i:s")

    class Meta:
        orderable = False
        default = units.ABSENT

    def render_label(self, record: Any) -> SafeString:
        return link(reverse("job", args=[record.pk]), record.label)

    def render_progress_done(self, record: Any) -> str:
        total = record.progress_total
        return f"{record.progress_done} of {total} {record.progress_note}" if total else units.ABSENT
