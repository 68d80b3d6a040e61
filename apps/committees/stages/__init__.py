"""How the query by committee meets the database."""

from __future__ import annotations

from apps.committees.stages import dft_labels, final_fit, start_set, train_committee, uncertainty
from apps.jobs.bindings import Binding

BINDINGS: tuple[Binding, ...] = (
    start_set.BINDING,
    train_committee.BINDING,
    uncertainty.BINDING,
    dft_labels.BINDING,
    final_fit.BINDING,
)
