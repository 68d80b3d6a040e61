"""One DFT calculation: inputs, attempts, outcome, and what people do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import ApplicationError, NotThere
from apps.dft import selectors
from apps.dft.selectors import pages
from apps.dft.services import calculation_change, calculation_retry, calculation_void, result_upload
from apps.dft.states import Decision
from apps.web.files import stored_file
from apps.web.forms.gate import ResultForm, SettingsForm
from apps.web.gate_page import inputs_context, inputs_zip, outcome_context
from apps.web.page import page
from apps.web.uploads import on_disk
from apps.web.views.campaigns import campaign_context
from kappakit.dft import DftTask

CHANGEABLE = (Decision.PROPOSED, Decision.APPROVED, Decision.FAILED)


@require_GET
@page
def dft_calculation(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything known of it."""
    found = selectors.calculation_get(request.user, pk)
    outcome = getattr(found, "outcome", None)
    context = {
        **campaign_context(request, found.campaign, "dft"),
        "section": "approvals",
        "calculation": found,
        "asked": found.request,
        "decisions": list(found.decisions.all()),
        "consumed": selectors.consumed(found),
        "reserved": selectors.outstanding(found),
        "jobs": pages.jobs_with_attempts(found),
        "files": pages.files_of(found),
        "replaced_by": pages.replacement_of(found),
        "changeable": found.state in CHANGEABLE,
        "computes_here": selectors.computes_here(found.engine),
        **inputs_context(found),
        **(outcome_context(outcome) if outcome else {}),
    }
    return render(request, "web/dft/calculation.html", context)


@page
def dft_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other settings: a form, and another proposal."""
    found = selectors.calculation_get(request.user, pk)
    task = DftTask.from_text(found.inputs)
    posted = request.method == "POST"
    form = SettingsForm(request.POST if posted else None, task=task)
    if posted and form.is_valid() and (answer := _changed(request, found, form)):
        return answer
    context = {**campaign_context(request, found.campaign, "dft"), "section": "approvals", "calculation": found}
    context |= {"asked": found.request, "form": form, "changeable": found.state in CHANGEABLE}
    return render(request, "web/dft/change.html", context, status=422 if posted else 200)


@require_POST
@page
def dft_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a failed one again under its approval."""
    calculation_retry(calculation=selectors.calculation_get(request.user, pk), user=request.user)
    messages.success(request, "Tried again, with the same inputs, under the same approval.")
    return redirect("dft-calculation", pk)


@require_POST
@page
def dft_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw it, with a reason."""
    found = selectors.calculation_get(request.user, pk)
    calculation_void(calculation=found, user=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, "Withdrawn; what was reserved for it is free again.")
    return redirect("dft-calculation", pk)


@require_POST
@page
def dft_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a result that was computed elsewhere; a job checks it."""
    found = selectors.calculation_get(request.user, pk)
    form = ResultForm(request.POST, request.FILES)
    if not form.is_valid():
        raise ApplicationError("Choose a vasprun.xml.", code="file_missing")
    file = form.cleaned_data["file"]
    with on_disk(file) as content:
        result_upload(calculation=found, content=content, file_name=file.name, user=request.user)
    messages.success(request, "Stored; a job checks it against what was asked. What differs will stand here.")
    return redirect("dft-calculation", pk)


@require_GET
@page
def dft_inputs(request: HttpRequest, pk: int) -> HttpResponse:
    """VASP's input files as a zip."""
    found = selectors.calculation_get(request.user, pk)
    if found.engine != "vasp":
        raise NotThere(f"{found.engine} takes the canonical text, not VASP's files.")
    name = f"dft-{found.pk}-version-{found.version}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(inputs_zip(found), content_type="application/zip", headers=headers)


@require_GET
@page
def dft_file(request: HttpRequest, pk: int, file: int) -> FileResponse:
    """A file of the calculation."""
    rows = pages.files_of(selectors.calculation_get(request.user, pk))
    row = next((row for row in rows if row.pk == file), None)
    if row is None:
        raise NotThere("This calculation has no such file.")
    return stored_file(request.user, row.artifact.sha256, row.artifact.name or row.kind)


def _changed(request: HttpRequest, found: Any, form: SettingsForm) -> HttpResponse | None:
    """Where the new proposal is; None with the form's errors filled in where it is refused as settings."""
    version = request.POST.get("version", "")
    if not form.changes():
        form.add_error(None, "Nothing differs from what stands there.")
        return None
    try:
        made = calculation_change(
            calculation=found,
            version=int(version) if version.isdecimal() else 0,
            user=request.user,
            changes=form.changes(),
            reason=form.cleaned_data["reason"],
        )
    except ApplicationError as error:
        if error.code != "settings_refused":
            raise
        form.add_problems(error.detail)
        return None
    messages.success(request, "Proposed with the new settings; it waits for approval.")
    return redirect("dft-calculation", made.pk)
