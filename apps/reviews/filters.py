"""The one FilterSet of candidates, under the name that the faces know."""

from apps.reviews.selectors.filters import SORTS, CandidateFilter, order_by

__all__ = ["SORTS", "CandidateFilter", "order_by"]
