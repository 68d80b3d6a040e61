"""The one FilterSet of candidates: page, REST, lists and exports ask by it."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy

from apps.conductivity.models import Dynamical, PlanState
from apps.reviews.models import CandidateSummary, ReviewKind
from apps.reviews.words import ESTIMATE
from apps.structures.models import NoveltyLevel, Origin, Outcome

SORTS: dict[str, str] = {
    "index": "number in the campaign",
    "name": "name",
    "kappa_rta": "κ_L (RTA), W/(m·K)",
    "kappa_lbte": "κ_L (LBTE), W/(m·K)",
    "promise": f"{ESTIMATE}, W/(m·K)",
    "above_hull": "energy above the hull, eV/atom",
    "energy_per_atom": "energy, eV/atom",
    "n_atoms": "atoms in the primitive cell",
    "density": "density, g/cm³",
    "space_group_number": "space group",
    "uncertainty": "uncertainty of the committee, meV/atom",
    "outcome": "outcome",
    "novelty": "novelty",
}
"""Field of CandidateSummary → what it is, with unit. `sort=FIELD` ascends, `sort=-FIELD` descends; NULLs come last."""

KAPPA_FIELDS = {"rta": "kappa_rta", "lbte": "kappa_lbte"}

CONVERGED: dict[str, tuple[str, bool | None]] = {
    "true": ("converged", True),
    "false": ("not converged", False),
    "untested": ("not tested", None),
}
"""Value of the filter → words, and what CandidateSummary holds; untested ones have a κ_L."""


def order_by(sort: str) -> tuple[OrderBy, OrderBy]:
    """The ordering of `sort` ('kappa_rta', '-kappa_rta'): NULLs last either way, ties by candidate."""
    field = F(sort.removeprefix("-"))
    first = field.desc(nulls_last=True) if sort.startswith("-") else field.asc(nulls_last=True)
    return first, F("candidate_id").asc()


def _choices(kind: Any) -> list[tuple[str, str]]:
    return [(value, label) for value, label in kind.choices if value]


class SortFilter(filters.ChoiceFilter):
    """`sort`: one of SORTS, with a minus for descending."""

    def __init__(self, **kwargs: Any) -> None:
        both = [(sign + name, label) for name, label in SORTS.items() for sign in ("", "-")]
        super().__init__(choices=both, **kwargs)

    def filter(self, qs: QuerySet[CandidateSummary], value: str) -> QuerySet[CandidateSummary]:
        """Order; by the number in the campaign unless told."""
        return qs.order_by(*order_by(value or "index"))


class CandidateFilter(filters.FilterSet):
    """Query of candidates. κ_L limits (W/(m·K), largest principal value) are on `method`: rta unless told."""

    name = filters.CharFilter(lookup_expr="icontains", label="name contains")
    formula = filters.CharFilter(lookup_expr="iexact", label="formula of the primitive cell")
    chemical_system = filters.CharFilter(method="by_chemical_system", label="chemical system, e.g. B-N")
    outcome = filters.MultipleChoiceFilter(choices=_choices(Outcome), label="outcome")
    origin = filters.MultipleChoiceFilter(choices=_choices(Origin), label="origin")
    novelty = filters.MultipleChoiceFilter(choices=_choices(NoveltyLevel), label="novelty")
    verdict = filters.MultipleChoiceFilter(
        choices=[(ReviewKind.SHORTLIST, "shortlisted"), (ReviewKind.REJECT, "rejected")],
        label="reviewers' verdict",
    )
    space_group_number = filters.NumberFilter(label="space group number", min_value=1, max_value=230)
    n_atoms_min = filters.NumberFilter("n_atoms", lookup_expr="gte", label="atoms in the primitive cell, at least")
    n_atoms_max = filters.NumberFilter("n_atoms", lookup_expr="lte", label="atoms in the primitive cell, at most")
    method = filters.ChoiceFilter(
        choices=[("rta", "RTA"), ("lbte", "LBTE")], method="by_nothing", label="method of the κ_L limits"
    )
    kappa_min = filters.NumberFilter(method="by_kappa_min", label="κ_L at least, W/(m·K)")
    kappa_max = filters.NumberFilter(method="by_kappa_max", label="κ_L at most, W/(m·K)")
    above_hull_max = filters.NumberFilter("above_hull", lookup_expr="lte", label="above the hull at most, eV/atom")
    uncertainty_min = filters.NumberFilter("uncertainty", lookup_expr="gte", label="uncertainty at least, meV/atom")
    uncertainty_max = filters.NumberFilter("uncertainty", lookup_expr="lte", label="uncertainty at most, meV/atom")
    dynamical = filters.MultipleChoiceFilter(choices=_choices(Dynamical), label="phonons")
    dimensionality = filters.NumberFilter(label="dimensionality (3: three-dimensional)", min_value=0, max_value=3)
    kappa_state = filters.MultipleChoiceFilter(choices=_choices(PlanState), label="κ_L calculation")
    rankable = filters.BooleanFilter(label="rankable κ_L")
    converged = filters.ChoiceFilter(
        choices=[(name, label) for name, (label, _) in CONVERGED.items()],
        method="by_converged",
        label="κ_L converged on its mesh",
    )
    new_to_generator = filters.BooleanFilter(
        method="by_new_to_generator", label="matches no training crystal of its generator"
    )
    excluded = filters.BooleanFilter(label="excluded by a curator")
    tag = filters.CharFilter("tags", lookup_expr="contains", method="by_tag", label="tag")
    list = filters.NumberFilter(method="by_list", label="on candidate list (number)")
    sort = SortFilter(label="order")

    def by_chemical_system(self, rows: QuerySet[CandidateSummary], _: str, value: str) -> QuerySet[CandidateSummary]:
        """Elements in any order: 'N-B' finds 'B-N'."""
        return rows.filter(chemical_system="-".join(sorted(filter(None, value.strip().split("-")))))

    def by_nothing(self, rows: QuerySet[CandidateSummary], _: str, value: str) -> QuerySet[CandidateSummary]:
        """`method` only says what the κ_L limits are about."""
        return rows

    def by_kappa_min(self, rows: QuerySet[CandidateSummary], _: str, value: float) -> QuerySet[CandidateSummary]:
        """κ_L of the asked method at least this; without a κ_L: not found."""
        return rows.filter(**{f"{self._kappa_field}__gte": value})

    def by_kappa_max(self, rows: QuerySet[CandidateSummary], _: str, value: float) -> QuerySet[CandidateSummary]:
        """κ_L of the asked method at most this; without a κ_L: not found."""
        return rows.filter(**{f"{self._kappa_field}__lte": value})

    def by_converged(self, rows: QuerySet[CandidateSummary], _: str, value: str) -> QuerySet[CandidateSummary]:
        """By the test of the mesh; candidates without a κ_L are in none of the three."""
        computed = rows.filter(Q(kappa_rta__isnull=False) | Q(kappa_lbte__isnull=False))
        _, wanted = CONVERGED[value]
        return computed.filter(converged__isnull=True) if wanted is None else computed.filter(converged=wanted)

    def by_tag(self, rows: QuerySet[CandidateSummary], _: str, value: str) -> QuerySet[CandidateSummary]:
        """Carries exactly this tag."""
        return rows.filter(tags__contains=[value])

    def by_new_to_generator(self, rows: QuerySet[CandidateSummary], _: str, value: bool) -> QuerySet[CandidateSummary]:
        """Those that were compared with the training crystals: unique generated ones; others are found by neither."""
        compared = rows.filter(candidate__generation__compared=True)
        novel = Q(candidate__generation__training_source="")
        return compared.filter(novel if value else ~novel)

    def by_list(self, rows: QuerySet[CandidateSummary], _: str, value: int) -> QuerySet[CandidateSummary]:
        """On this candidate list now."""
        return rows.filter(candidate__list_items__list_id=int(value), candidate__list_items__removed_at__isnull=True)

    @property
    def _kappa_field(self) -> str:
        return KAPPA_FIELDS[self.form.cleaned_data.get("method") or "rta"]
