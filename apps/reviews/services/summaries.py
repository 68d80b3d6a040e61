"""CandidateSummary, rebuilt from the rows that it sums up: a handful of queries for any number of candidates."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection, transaction

from apps.committees.selectors.history import UncertaintyFacts
from apps.committees.selectors.uncertainties import uncertainties
from apps.conductivity.models import KappaMethod, KappaPlan, KappaTensor
from apps.conductivity.trust import completed
from apps.reviews.models import CandidateSummary, Review, ReviewKind
from apps.reviews.words import worst_change
from apps.structures.models import Candidate, Exclusion

AT_ONCE = 5000
"""Candidates of one round of queries."""
LABEL_LENGTH = 800
MESH = ("change", "changes", "error", "converged")
"""What a tensor knows of the convergence of its mesh; a summary has that of the method that ranks."""
COLUMNS = tuple(field.column for field in CandidateSummary._meta.concrete_fields)
DEFAULTS: dict[str, Any] = {
    field.column: field.get_default() for field in CandidateSummary._meta.concrete_fields if not field.primary_key
}
CANDIDATE_COLUMNS = (
    "pk", "campaign_id", "index", "label", "origin", "outcome", "outcome_reason", "novelty", "above_hull",
    "known_as__name",
    "start__name", "start__tags", "start__formula", "start__chemical_system", "start__density",
    "relaxed__name", "relaxed__tags", "relaxed__formula", "relaxed__chemical_system", "relaxed__density",
    "relaxation__energy_per_atom",
    "symmetry__n_primitive", "symmetry__number", "symmetry__symbol", "symmetry__operations",
    "symmetry__dimensionality", "symmetry__primitive__formula",
)  # fmt: skip


@transaction.atomic
def candidate_summaries_refresh(ids: Iterable[int]) -> int:
    """Write the summaries of these candidates anew; how many. Seven queries for every 5,000."""
    written = 0
    remaining = iter(sorted(set(ids)))
    while some := list(islice(remaining, AT_ONCE)):
        rows = list(_summaries(some))
        _write(rows)
        written += len(rows)
    return written


def summaries_rebuild() -> int:
    """Write every summary anew; how many."""
    return candidate_summaries_refresh(Candidate.objects.values_list("pk", flat=True))


def _write(rows: list[dict[str, Any]]) -> None:
    """Insert or update by one statement with one parameter; rows that stay as they are are not touched.

    With 28 parameters a row it takes several times longer.
    """
    table = CandidateSummary._meta.db_table
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    excluded = ", ".join(f'EXCLUDED."{name}"' for name in COLUMNS)
    present = ", ".join(f't."{name}"' for name in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS t ({columns}) "
            f"SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) "
            f"ON CONFLICT (candidate_id) DO UPDATE SET ({columns}) = ({excluded}) "
            f"WHERE ({present}) IS DISTINCT FROM ({excluded})",
            [json.dumps(rows)],
        )


def _summaries(ids: list[int]) -> Iterator[dict[str, Any]]:
    doubts = uncertainties(ids)
    kappa = _kappa(ids, doubts)
    verdicts = _verdicts(ids)
    excluded = set(
        Exclusion.objects.filter(candidate_id__in=ids, undone_at__isnull=True).values_list("candidate_id", flat=True)
    )
    for row in Candidate.objects.filter(pk__in=ids).order_by("pk").values(*CANDIDATE_COLUMNS):
        pk = row["pk"]
        found = {"candidate_id": pk, "excluded": pk in excluded, "verdict": verdicts.get(pk, "")}
        found["uncertainty"] = doubts[pk].energy_std if pk in doubts else None
        yield DEFAULTS | found | _identity(row) | _facts(row) | kappa.get(pk, {})


def _identity(row: dict[str, Any]) -> dict[str, Any]:
    tags = [*(row["start__tags"] or []), *(row["relaxed__tags"] or [])]
    same = ("campaign_id", "index", "origin", "outcome", "outcome_reason", "novelty", "above_hull")
    return {name: row[name] for name in same} | {
        "name": row["relaxed__name"] or row["start__name"] or row["known_as__name"] or row["label"],
        "tags": sorted(set(tags)),
    }


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    """Of the relaxed crystal where there is one."""
    shown = "relaxed" if row["relaxed__formula"] else "start"
    return {
        "formula": row["symmetry__primitive__formula"] or row[f"{shown}__formula"],
        "chemical_system": row[f"{shown}__chemical_system"],
        "density": row["relaxed__density"],
        "energy_per_atom": row["relaxation__energy_per_atom"],
        "n_atoms": row["symmetry__n_primitive"],
        "space_group_number": row["symmetry__number"],
        "space_group": row["symmetry__symbol"] or "",
        "operations": row["symmetry__operations"],
        "dimensionality": row["symmetry__dimensionality"],
    }


def _kappa(ids: list[int], doubts: dict[int, UncertaintyFacts]) -> dict[int, dict[str, Any]]:
    """Candidate → what its newest plan came to."""
    plans = (
        KappaPlan.objects.filter(candidate_id__in=ids)
        .order_by("candidate_id", "-id")
        .distinct("candidate_id")
        .values("pk", "candidate_id", "state", "settings__method", "phonons__dynamical", "promise")
    )
    newest = {plan["pk"]: plan for plan in plans}
    tensors: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    rows = KappaTensor.objects.filter(phonons__plan_id__in=newest)
    for tensor in rows.values("phonons__plan_id", "method", "largest", "rankable", "label", *MESH):
        tensors[tensor["phonons__plan_id"]][tensor["method"]] = tensor
    return {
        plan["candidate_id"]: _of_plan(plan, tensors[pk], doubts.get(plan["candidate_id"]))
        for pk, plan in newest.items()
    }


def _of_plan(
    plan: dict[str, Any], tensors: dict[str, dict[str, Any]], doubt: UncertaintyFacts | None
) -> dict[str, Any]:
    """The label is that of the method that ranks, where it was computed."""
    ranks = str(plan["settings__method"] or "").upper()
    labelled = tensors.get(ranks) or next(iter(tensors.values()), None)
    mesh = labelled or dict.fromkeys(MESH)
    return {
        "promise": plan["promise"],
        "kappa_change": worst_change(mesh["change"], mesh["changes"]),
        "kappa_error": mesh["error"],
        "converged": mesh["converged"],
        "kappa_state": plan["state"],
        "dynamical": plan["phonons__dynamical"] or "",
        "kappa_rta": tensors.get(str(KappaMethod.RTA), {}).get("largest"),
        "kappa_lbte": tensors.get(str(KappaMethod.LBTE), {}).get("largest"),
        "rankable": any(tensor["rankable"] for tensor in tensors.values()),
        "trust_label": " · ".join(_label(labelled["label"], doubt))[:LABEL_LENGTH] if labelled else "",
    }


def _label(words: list[str], doubt: UncertaintyFacts | None) -> tuple[str, ...]:
    return completed(words, uncertainty=doubt.energy_std, members=doubt.members) if doubt else tuple(words)


def _verdicts(ids: list[int]) -> dict[int, str]:
    newest = (
        Review.objects.filter(candidate_id__in=ids)
        .exclude(kind=ReviewKind.COMMENT)
        .order_by("candidate_id", "-id")
        .distinct("candidate_id")
        .values_list("candidate_id", "kind")
    )
    return {pk: kind for pk, kind in newest if kind != ReviewKind.RESET}
