"""The validations of a candidate by DFT, as a dossier shows them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Prefetch

from apps.conductivity.models import KappaTensor, Validation, ValidationState
from apps.conductivity.selectors import dft_settings, labelled, validation_source
from apps.conductivity.trust import validation_word
from apps.dft.models import Decision, DftCalculation, DftRequest
from apps.reviews import dossier as d
from apps.reviews.selectors import parts
from apps.structures.models import Candidate

JOINED = (
    "potential__data_set", "cell_potential", "cell_dft", "phonons", "relax_request", "supercell_request", "requested_by"
)  # fmt: skip
COPIED = (
    "part state error space_group_potential space_group_dft energy_potential energy_dft volume_change gap deviation "
    "lowest verdict created_at finished_at"
)


def validations_of(candidate: Candidate) -> tuple[d.ValidationFacts, ...]:
    """Newest first; bands of the newest finished one of each part only. One query where there is none."""
    calculations = DftCalculation.objects.only("request_id", "order", "version", "state", "estimate")
    ordered = calculations.order_by("order", "version", "pk")
    rows = Validation.objects.filter(candidate=candidate).select_related(*JOINED).defer("dataset")
    rows = rows.prefetch_related(
        Prefetch("phonons__tensors", labelled(KappaTensor.objects.all())),
        Prefetch("relax_request__calculations", ordered),
        Prefetch("supercell_request__calculations", ordered),
    )
    drawn: set[str] = set()
    found = []
    for row in rows.order_by("-id"):
        draws = row.state == ValidationState.DONE and row.part not in drawn
        drawn |= {row.part} if draws else set()
        found.append(_facts(row, draws=draws))
    return tuple(found)


def _facts(row: Validation, *, draws: bool) -> d.ValidationFacts:
    engine = dft_settings(row).engine
    phonons = row.phonons
    return d.ValidationFacts(
        id=row.pk,
        state_words=row.get_state_display(),
        source=validation_source(row),
        surrogate=engine == "surrogate",
        potential=parts.model_facts(row.potential),
        costs=tuple(d.ValidationCost(**cost) for cost in row.expected),
        requests=tuple(_request(request) for request in (row.relax_request, row.supercell_request) if request),
        cell_potential=parts.structure_facts(row.cell_potential) if row.cell_potential else None,
        cell_dft=parts.structure_facts(row.cell_dft) if row.cell_dft else None,
        word=validation_word(row.verdict, engine) if row.verdict else "",
        bands=parts.bands_facts(phonons.bands) if phonons and draws else None,
        overlay=parts.bands_facts(row.overlay) if row.overlay and draws else None,
        tensors=_tensors(row),
        requested_by=str(row.requested_by),
        **_copied(row),
    )


def _tensors(row: Validation) -> tuple[d.TensorFacts, ...]:
    if row.phonons is None:
        return ()
    return tuple(parts.tensor_facts(t, row.phonons.source, row.conductivity) for t in row.phonons.tensors.all())


def _copied(row: Validation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COPIED.split()}


def _request(request: DftRequest) -> d.ValidationRequest:
    """By the newest version of each calculation."""
    newest = {row.order: row for row in request.calculations.all()}
    counts = Counter(row.state for row in newest.values())
    return d.ValidationRequest(
        id=request.pk,
        title=request.title,
        waiting=counts[Decision.PROPOSED],
        approved=counts[Decision.APPROVED],
        done=counts[Decision.DONE],
        denied=counts[Decision.DENIED],
        over=counts[Decision.FAILED] + counts[Decision.VOIDED],
        core_hours=sum(row.estimate for row in newest.values()),
    )
