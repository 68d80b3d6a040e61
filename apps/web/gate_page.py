"""What the pages of the DFT gate say, gathered from the selectors."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.errors import ApplicationError, NotThere
from apps.dft import selectors
from apps.dft.estimates import basis
from apps.dft.selectors import Preview
from apps.dft.states import Answer
from apps.web.figures.cell import cell_views
from apps.web.forms.protocol import protocol_groups
from apps.web.paging import Page, paged
from kappakit.dft import HASHED, RELAX, DftTask, k_mesh
from kappakit.protocol import DftRunSettings
from kappakit.units import EV_PER_A3_IN_GPA
from kappakit.vasp_files import vasp_inputs

REQUESTS_PER_PAGE = 25
MOST_AT_ONCE = 2000
"""Calculations of one bulk decision."""
SHOWN = re.compile(r"^([1-9]\d{0,17}):([1-9]\d{0,8})$")
ONLY_RELAX = ("relax_force", "relax_stress")


@dataclass(frozen=True)
class WaitingRequest:
    """What of a request waits for the person: core-hours, on what they rest, and core-hours left in its campaign."""

    request: Any
    calculations: tuple[Any, ...]
    left: float

    @property
    def shown(self) -> str:
        """What a decision on all of it names: 'id:version …'."""
        return " ".join(token(row) for row in self.calculations)

    @property
    def engine(self) -> str:
        return self.calculations[0].engine

    @property
    def core_hours(self) -> float:
        return sum(row.estimate for row in self.calculations)

    @property
    def basis(self) -> str:
        return basis(min(row.history for row in self.calculations))


@dataclass(frozen=True)
class Setting:
    """One line of the inputs: name with unit, value, what it means."""

    label: str
    value: str
    help: str


def token(calculation: Any) -> str:
    """A calculation as it was shown: 'id:version'."""
    return f"{calculation.pk}:{calculation.version}"


def parsed(values: Iterable[str]) -> dict[int, int]:
    """id → version of what a form names; raises ApplicationError for none, too many or another text."""
    tokens = [SHOWN.match(word) for value in values for word in value.split()]
    if not tokens:
        raise ApplicationError("Choose at least one calculation.", code="none_chosen")
    if None in tokens or len(tokens) > MOST_AT_ONCE:
        raise ApplicationError(f"Name at most {MOST_AT_ONCE} calculations as id:version.", code="not_readable")
    return {int(found[1]): int(found[2]) for found in tokens if found}


def waiting_requests(user: Any, asked: str | None) -> tuple[list[WaitingRequest], Page]:
    """A page of the requests with something that `user` may decide, oldest first."""
    mine = selectors.calculations_for(user)
    requests = selectors.requests_visible(user).filter(pk__in=mine.order_by().values("request_id")).order_by("pk")
    page = paged(requests, asked, REQUESTS_PER_PAGE)
    by_request: dict[int, list[Any]] = {row.pk: [] for row in page.rows}
    for calculation in mine.filter(request__in=page.rows):
        by_request[calculation.request_id].append(calculation)
    left = selectors.budgets_of({row.campaign_id for row in page.rows})
    found = [
        WaitingRequest(row, tuple(by_request[row.pk]), left[row.campaign_id].left)
        for row in page.rows
        if by_request[row.pk]
    ]
    return found, page


def preview_of(user: Any, shown: Mapping[int, int], answer: str) -> Preview:
    """What the decision would do now; what changed since it was shown goes to the refused."""
    rows = list(selectors.calculations_visible(user).filter(pk__in=shown))
    if not rows:
        raise NotThere("There is no such DFT calculation.")
    changed = [row for row in rows if row.version != shown[row.pk]]
    found = selectors.preview(user, [row for row in rows if row.version == shown[row.pk]], answer)
    stale = tuple((row, "Its inputs changed since they were shown: look at them again.") for row in changed)
    return Preview(found.calculations, found.core_hours, found.left_after, found.refused + stale)


def preview_context(user: Any, shown: Mapping[int, int], answer: str) -> dict[str, Any]:
    """The preview with budgets by campaign."""
    found = preview_of(user, shown, answer)
    campaigns = {row.campaign_id: row.campaign for row in (*found.calculations, *(row for row, _ in found.refused))}
    before = selectors.budgets_of(campaigns)
    budgets = [
        {"campaign": campaign, "before": before[pk].left, "after": found.left_after.get(pk, before[pk].left)}
        for pk, campaign in campaigns.items()
    ]
    return {
        "section": "approvals",
        "preview": found,
        "budgets": budgets,
        "answer": answer,
        "approve": answer == Answer.APPROVE,
        "shown": " ".join(token(row) for row in found.calculations),
    }


def inputs_context(calculation: Any) -> dict[str, Any]:
    """A calculation's inputs for people: VASP's files, or the parameters; the canonical text and its crystal always."""
    task = DftTask.from_text(calculation.inputs)
    files = vasp_inputs(task, DftRunSettings(**calculation.run)) if calculation.engine == "vasp" else {}
    return {
        "task": task,
        "mesh": k_mesh(task.crystal.cell, task.settings.k_spacing),
        "vasp_files": files,
        "settings": settings_rows(task),
        "cells": cell_views({calculation.label[:40] or "cell": task.crystal}),
    }


def settings_rows(task: DftTask) -> list[Setting]:
    """The settings that are part of what is approved, in words; those of a relaxation where it is one."""
    chosen = json.loads(task.text())["settings"]
    (group,) = [group for group in protocol_groups() if group.name == "dft"]
    return [
        Setting(field.label, _value(chosen[name]), field.facts.help)
        for field in group.fields
        if (name := field.path.removeprefix("dft.")) in HASHED and (task.task == RELAX or name not in ONLY_RELAX)
    ]


def outcome_context(outcome: Any) -> dict[str, Any]:
    """A result's numbers as people compare them: per atom, GPa."""
    atoms = len(outcome.forces)
    stress = outcome.stress
    return {
        "outcome": outcome,
        "energy_per_atom": outcome.energy / atoms,
        "sigma0_per_atom": outcome.energy_sigma0 / atoms,
        "max_force": max(sum(x * x for x in row) ** 0.5 for row in outcome.forces),
        "stress_gpa": [[x * EV_PER_A3_IN_GPA for x in row] for row in stress] if stress else None,
        "pressure_gpa": -sum(stress[i][i] for i in range(3)) / 3 * EV_PER_A3_IN_GPA if stress else None,
        "method": [(name.replace("_", " "), _value(value)) for name, value in outcome.method.items()],
        "simulated": "simulated" in f"{outcome.version} {' '.join(outcome.notes)}".lower(),
    }


def inputs_zip(calculation: Any) -> bytes:
    """VASP's input files of a calculation as a zip, the canonical text beside them."""
    task = DftTask.from_text(calculation.inputs)
    files = vasp_inputs(task, DftRunSettings(**calculation.run)) | {"inputs.json": calculation.inputs}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


def one_method(calculations: Iterable[Any]) -> bool:
    """Whether they differ in their crystals only."""
    return len({json.dumps(json.loads(row.inputs)["settings"]) for row in calculations}) == 1


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
