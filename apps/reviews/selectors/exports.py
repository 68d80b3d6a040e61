"""What an export holds: columns with units, one row a candidate."""

from __future__ import annotations

import json
from typing import Any

from apps.committees.selectors import final_fits_of
from apps.reviews.models import CandidateSummary, Export
from apps.reviews.words import ESTIMATE
from apps.structures.models import Candidate
from kappakit.crystals import Crystal
from kappakit.stages.contracts import ExportInputs, Item

EXPORT_COLUMNS: dict[str, str] = {
    "index": "number in the campaign",
    "name": "name",
    "tags": "tags",
    "formula": "formula of the primitive cell",
    "chemical_system": "chemical system",
    "origin": "origin",
    "outcome": "outcome",
    "outcome_reason": "reason of the outcome",
    "excluded": "excluded by a curator",
    "verdict": "verdict of the reviewers",
    "novelty": "novelty",
    "n_atoms": "atoms in the primitive cell",
    "space_group_number": "space group number",
    "space_group": "space group",
    "operations": "operations of the point group",
    "dimensionality": "dimensionality",
    "density": "density (g/cm³)",
    "energy_per_atom": "energy (eV/atom)",
    "above_hull": "energy above the hull (eV/atom)",
    "kappa_rta": "largest principal κ_L, RTA (W/(m·K))",
    "kappa_lbte": "largest principal κ_L, LBTE (W/(m·K))",
    "promise": f"{ESTIMATE} (W/(m·K))",
    "kappa_change": "change of κ_L by the mesh's last step (share)",
    "kappa_error": "expected error of κ_L by the mesh (share)",
    "converged": "κ_L converged on its mesh",
    "rankable": "κ_L may be ranked",
    "dynamical": "phonons",
    "kappa_state": "state of the κ_L calculation",
    "trust_label": "trust label of κ_L",
    "uncertainty": "uncertainty of the committee (meV/atom)",
}
"""Field of CandidateSummary → header with unit."""


def export_inputs(export: Export) -> ExportInputs:
    """The table as it stands, candidates in the order that was fixed when it was asked for. Four queries."""
    summaries = CandidateSummary.objects.in_bulk(export.candidates)
    candidates = Candidate.objects.select_related("start", "relaxed", "relaxation").in_bulk(export.candidates)
    ids = [pk for pk in export.candidates if pk in summaries]
    return ExportInputs(
        format=export.format,
        columns=tuple(EXPORT_COLUMNS[name] for name in export.columns),
        rows=tuple(_row(summaries[pk], export.columns) for pk in ids),
        items=tuple(_item(candidates[pk]) for pk in ids),
        metadata=json.dumps(_metadata(export), ensure_ascii=False),
    )


def _row(summary: CandidateSummary, columns: list[str]) -> tuple[str, ...]:
    return tuple(json.dumps(getattr(summary, name), ensure_ascii=False) for name in columns)


def _item(candidate: Candidate) -> Item:
    shown = candidate.relaxed or candidate.start
    energy = candidate.relaxation.energy_per_atom if candidate.relaxation else None
    return Item(str(candidate.pk), Crystal(shown.cell, shown.frac, shown.numbers), energy)


def _metadata(export: Export) -> dict[str, Any]:
    campaign = export.campaign
    return {
        "campaign": campaign.name,
        "campaign_id": campaign.pk,
        "protocol_digest": campaign.protocol_digest,
        "potential": campaign.potential.name if campaign.potential else None,
        "potential_sha256": campaign.potential.sha256 if campaign.potential else None,
        "potentials_of_kappa": [
            {"sweep": fit.sweep, "potential": fit.model.name, "sha256": fit.model.sha256}
            for fit in final_fits_of(campaign)
        ],
        "list": export.list.name if export.list else None,
        "filter": export.filter,
        "requested_by": str(export.requested_by),
        "requested_at": export.created_at.isoformat(),
    }
