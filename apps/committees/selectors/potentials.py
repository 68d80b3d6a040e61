"""The potential that a campaign's conductivities are computed with, and the one that may stand for DFT."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.campaigns.models import Campaign
from apps.committees.models import FinalFit
from apps.core.errors import ApplicationError
from apps.training.models import TrainedModel
from apps.training.selectors import potentials_ready
from kappakit.protocol import DftSettings


class OracleMissing(ApplicationError):
    """The potential that is to stand for DFT is not there."""

    code = "oracle_missing"
    status = 409


def final_fits_of(campaign: Campaign) -> QuerySet[FinalFit]:
    """Newest first."""
    return FinalFit.objects.filter(campaign=campaign).select_related("model").order_by("-sweep")


def final_potential(campaign: Campaign, sweep: int | None = None) -> TrainedModel | None:
    """The newest final fit, or the newest that `sweep` has; None where no committee learned."""
    rows = final_fits_of(campaign)
    newest = (rows if sweep is None else rows.filter(sweep__lte=sweep)).first()
    return newest.model if newest else None


def oracle_of(settings: DftSettings) -> TrainedModel | None:
    """The potential that stands for DFT, None where a DFT code computes; raises OracleMissing."""
    if settings.engine != "surrogate":
        return None
    found = potentials_ready().filter(name=settings.surrogate).first()
    if found is None:
        raise OracleMissing(
            f"The protocol lets the potential “{settings.surrogate}” stand for DFT, and no potential of this name is "
            "ready: train it, or clone the campaign with another one."
        )
    return found
