"""κ_L by every member of the committee: rows, and an interval in the words beside the value."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from apps.conductivity.models import KappaMethod, KappaPlan, KappaSpread, KappaTensor
from apps.conductivity.trust import spread_words, with_spread
from kappakit.stages.contracts import SpreadOutputs


@transaction.atomic
def spread_record(*, plan: KappaPlan, members: Sequence[int], outputs: SpreadOutputs) -> None:
    """One row a member (`members`: ids in the order in which the stage had them), in place of an earlier committee's;
    the RTA value's label names the interval and the standard deviation."""
    KappaSpread.objects.filter(plan=plan).delete()
    KappaSpread.objects.bulk_create(
        KappaSpread(
            plan=plan,
            member_id=members[row.index],
            largest=row.largest,
            principal=list(row.principal),
            dynamical=row.dynamical,
            note=row.note,
        )
        for row in outputs.members
    )
    words = spread_words([row.largest for row in outputs.members if row.largest is not None], len(outputs.members))
    tensor = KappaTensor.objects.filter(phonons__plan=plan, method=KappaMethod.RTA).first()
    if tensor is not None:
        tensor.label = with_spread(tensor.label, words)
        tensor.save(update_fields=["label"])
