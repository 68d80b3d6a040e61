"""The history of a campaign's committees, for page and REST: eight queries, whatever the number of iterations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from django.db.models import Count, Q

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.committees import models as m
from apps.committees.selectors import history as h
from apps.committees.selectors.uncertainties import UNITS, threshold_of
from apps.dft.models import Decision, DftCalculation
from apps.structures.models import Candidate

Records = Mapping[int, Sequence[h.Point]]
"""Committee → its candidates' uncertainties, most uncertain first."""


def committee_history(campaign: Campaign) -> h.CommitteeHistory:
    """What its committees did so far. Asks nothing about permissions: the caller has shown that the campaign may be
    seen."""
    settings = protocol_of(campaign).committee
    rows = list(_committees(campaign))
    records = _records(rows, settings.criterion)
    rounds = {row.pk: row.label_round for row in rows if hasattr(row, "label_round")}
    names = _names({point.candidate_id for points in records.values() for point in points}, rounds.values())
    states = _states([r.request_id for r in rounds.values()])
    requests = {pk: _request(pk, row, rows, records, names, states, settings.criterion) for pk, row in rounds.items()}
    members = _members(rows)
    measured = next((row for row in reversed(rows) if row.calibration), None)
    return h.CommitteeHistory(
        criterion=settings.criterion,
        unit=UNITS[settings.criterion],
        threshold=settings.force_threshold if settings.criterion == "forces" else settings.threshold,
        size=settings.size,
        iterations=tuple(
            _iteration(row, members[row.trained_id or row.pk], records.get(row.pk, ()), requests.get(row.pk))
            for row in rows
        ),
        still_above=tuple(_still_above(rows, records, requests, names)),
        label_sets=tuple(_label_set(row) for row in m.LabelSet.objects.filter(campaign=campaign).order_by("id")),
        final_fits=tuple(_final_fits(campaign)),
        reliability=_reliability(measured.calibration) if measured else None,
        names=names,
    )


def _committees(campaign: Campaign) -> Any:
    joined = ("trained", "label_round")
    rows = m.Committee.objects.filter(campaign=campaign).select_related(*joined)
    return rows.defer("trained__calibration").order_by("sweep", "iteration")


def _records(rows: Sequence[m.Committee], criterion: str) -> Records:
    by = "-force_spread" if criterion == "forces" else "-energy_std"
    found: dict[int, list[h.Point]] = defaultdict(list)
    values = m.UncertaintyRecord.objects.filter(committee__in=rows).order_by("committee_id", by, "candidate_id")
    for committee, *numbers in values.values_list("committee_id", "candidate_id", "energy_std", "force_spread"):
        found[committee].append(h.Point(*numbers))
    return found


def _names(ids: set[int], rounds: Iterable[m.LabelRound]) -> dict[int, h.Named]:
    wanted = ids | {row.candidate_id for row in rounds}
    columns = ("pk", "index", "relaxed__name", "start__name", "known_as__name", "label")
    rows = Candidate.objects.filter(pk__in=wanted).values_list(*columns)
    return {pk: h.Named(pk, index, next(filter(None, names), f"#{index}")) for pk, index, *names in rows}


def _states(requests: list[int]) -> dict[int, dict[str, int]]:
    """Request → state → calculations; one that was replaced counts no more."""
    rows = DftCalculation.objects.filter(request_id__in=requests).exclude(state=Decision.VOIDED)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for request, state, count in rows.order_by().values_list("request_id", "state").annotate(n=Count("pk")):
        found[request][state] = count
    return found


def _members(rows: Sequence[m.Committee]) -> dict[int, tuple[h.MemberFacts, ...]]:
    found: dict[int, list[h.MemberFacts]] = defaultdict(list)
    wanted = m.Member.objects.filter(Q(committee__in=rows) | Q(committee__used_by__in=rows)).distinct()
    for row in wanted.select_related("model").defer("model__card", "model__curve").order_by("committee_id", "index"):
        found[row.committee_id].append(_member(row))
    return defaultdict(tuple, {pk: tuple(several) for pk, several in found.items()})


def _member(row: m.Member) -> h.MemberFacts:
    return h.MemberFacts(
        index=row.index,
        model_id=row.model_id,
        model_name=row.model.name if row.model else "",
        seed=row.seed,
        held_out=len(row.held_out),
        warm=row.warm_from_id is not None,
        note=row.note,
    )


def _value(point: h.Point | None, criterion: str) -> float | None:
    if point is None:
        return None
    return point.force_spread if criterion == "forces" else point.energy_std


def _iteration(
    row: m.Committee,
    members: tuple[h.MemberFacts, ...],
    points: Sequence[h.Point],
    request: h.LabelRequest | None,
) -> h.Iteration:
    values = [value for point in points if (value := _value(point, row.criterion)) is not None]
    return h.Iteration(
        committee_id=row.pk,
        sweep=row.sweep,
        iteration=row.iteration,
        borrowed=(row.trained.sweep, row.trained.iteration) if row.trained else None,
        members=members,
        labels=row.labels,
        candidates=len(points),
        highest=row.highest if row.highest is not None else max(values, default=None),
        median=median(values) if values else None,
        above=len(row.above),
        threshold=threshold_of(row.settings),
        request=request,
        calibration=_calibration(row.calibration) if row.calibration else None,
        stopped=row.stopped,
        seconds=row.seconds,
        notes=tuple(row.notes),
        points=tuple(points),
        created_at=row.created_at,
    )


def _request(
    pk: int,
    row: m.LabelRound,
    committees: Sequence[m.Committee],
    records: Records,
    names: Mapping[int, h.Named],
    states: Mapping[int, Mapping[str, int]],
    criterion: str,
) -> h.LabelRequest:
    found = states.get(row.request_id, {})
    at = next(i for i, committee in enumerate(committees) if committee.pk == pk)
    following = committees[at + 1] if at + 1 < len(committees) else None
    same_sweep = following is not None and following.sweep == committees[at].sweep
    after = _of(records.get(following.pk, ()), row.candidate_id) if following and same_sweep else None
    return h.LabelRequest(
        request_id=row.request_id,
        candidate=names[row.candidate_id],
        calculations=sum(found.values()),
        states=found,
        repeats=tuple(row.repeats),
        lengths=tuple(row.lengths),
        amplitude=row.amplitude,
        before=_value(_of(records.get(pk, ()), row.candidate_id), criterion),
        after=_value(after, criterion),
    )


def _of(points: Sequence[h.Point], candidate: int) -> h.Point | None:
    return next((point for point in points if point.candidate_id == candidate), None)


def _calibration(data: Mapping[str, Any]) -> h.CalibrationFacts:
    plain = ("energy_mae", "force_rmse", "rank_energy", "rank_force", "ratio_energy")
    return h.CalibrationFacts(
        frames=len(data.get("spread_energy", ())),
        member_energy_mae=tuple(data.get("member_energy_mae", ())),
        member_force_rmse=tuple(data.get("member_force_rmse", ())),
        **{name: data.get(name) for name in plain},
    )


def _reliability(data: Mapping[str, Any]) -> h.Reliability:
    names = ("spread_energy", "error_energy", "spread_force", "error_force", "groups")
    return h.Reliability(*(tuple(data.get(name, ())) for name in names))


def _still_above(
    rows: Sequence[m.Committee],
    records: Records,
    requests: Mapping[int, h.LabelRequest],
    names: Mapping[int, h.Named],
) -> list[h.StillAbove]:
    """Of each sweep's newest committee that has evaluated."""
    newest = {row.sweep: row for row in rows if row.pk in records}
    asked = {requests[row.pk].candidate.id: (row, requests[row.pk]) for row in rows if row.pk in requests}
    return [
        h.StillAbove(
            sweep=row.sweep,
            candidate=names[pk],
            uncertainty=_value(_of(records[row.pk], pk), row.criterion),
            why=_why(row, asked.get(pk)),
        )
        for row in newest.values()
        for pk in row.above
        if pk in names
    ]


def _why(newest: m.Committee, asked: tuple[m.Committee, h.LabelRequest] | None) -> str:
    """Labelled already, or never the most uncertain."""
    if asked is None:
        return f"not labelled, {'the loop ended before' if newest.stopped else 'its turn has not come'}"
    row, request = asked
    where = f"iteration {row.iteration}" + (f" of sweep {row.sweep}" if row.sweep != newest.sweep else "")
    done, failed, denied = (request.states.get(state, 0) for state in ("DONE", "FAILED", "DENIED"))
    if request.calculations and denied == request.calculations:
        return f"its labels were denied in {where}"
    if request.calculations and failed + denied == request.calculations:
        return f"none of its calculations of {where} succeeded"
    if not done:
        return f"its labels of {where} are not there yet"
    return f"labelled in {where} ({done} of {request.calculations} calculations), and each crystal is labelled once"


def _label_set(row: m.LabelSet) -> h.LabelSetFacts:
    return h.LabelSetFacts(
        kind=row.kind,
        title=m.LabelSetKind(row.kind).label,
        file_name=row.file_name,
        frames=row.frames,
        groups=len(row.groups),
        methods=row.methods,
        notes=tuple(row.notes),
    )


def _final_fits(campaign: Campaign) -> list[h.FinalFitFacts]:
    rows = m.FinalFit.objects.filter(campaign=campaign).select_related("model").defer("model__card", "model__curve")
    return [h.FinalFitFacts(row.sweep, row.model_id, row.model.name, row.labels) for row in rows.order_by("sweep")]
