"""What the gate's rows show; units as in rows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from apps.api.facts import Quantity, WithUnits
from apps.api.rows import maybe, moment, text
from apps.dft.estimates import basis
from apps.dft.states import Decision, Purpose

HOURS = "core-hours"


class DftDecisionSerializer(s.Serializer):
    """A decision on exactly these inputs; an approval may be voided, a denial stays."""

    answer = s.CharField(help_text="approve or deny")
    decided_by = s.CharField(source="decided_by.username")
    grant = s.IntegerField(
        source="grant_id", allow_null=True, help_text="the grant that approved by itself, in its grantor's name"
    )
    inputs_sha256 = s.CharField()
    batch = s.CharField(help_text="decisions made together")
    reason = text()
    created_at = s.DateTimeField()
    voided_at = moment()
    void_reason = text()


class DftCalculationRowSerializer(s.Serializer):
    """A DFT calculation: where people stand with it, what it costs."""

    id = s.IntegerField()
    request = s.IntegerField(source="request_id")
    campaign = s.IntegerField(source="campaign_id")
    candidate = s.IntegerField(source="request.candidate_id", allow_null=True, default=None)
    label = s.CharField()
    engine = s.CharField(help_text="gpaw, vasp, or surrogate: a potential that stands for DFT, which is none")
    task = s.CharField(help_text="label or relax")
    state = s.CharField(help_text=", ".join(Decision.values))
    version = s.IntegerField(help_text="a decision names it")
    inputs_sha256 = s.CharField(help_text="what an approval is bound to")
    estimate = Quantity(HOURS)
    estimate_basis = s.SerializerMethodField(help_text="'from 12 finished' or 'no history'")
    proposed_by = s.CharField(source="proposed_by.username")
    replaces = s.IntegerField(source="replaces_id", allow_null=True)
    failure = text(help_text="class of the failure; empty: none")
    created_at = s.DateTimeField()
    decisions = DftDecisionSerializer(source="decisions.all", many=True)

    def get_estimate_basis(self, row: Any) -> str:
        """On what the estimate rests."""
        return basis(row.history)


class DftOutcomeSerializer(s.Serializer):
    """What it gave, on its method's own zero."""

    energy = Quantity("eV", help_text="eV per cell, force-consistent")
    energy_sigma0 = Quantity("eV", help_text="eV per cell, extrapolated to zero smearing")
    cell = s.ListField(child=s.ListField(child=Quantity("Å")))
    frac = s.ListField(child=s.ListField(child=Quantity("1")))
    forces = s.ListField(child=s.ListField(child=Quantity("eV/Å")))
    stress = s.ListField(
        child=s.ListField(child=Quantity("eV/Å³")), allow_null=True, help_text="3 × 3, positive = tension"
    )
    k_mesh = s.ListField(child=s.IntegerField())
    method = s.JSONField()
    method_sha256 = s.CharField(help_text="labels of two digests never share a fit without an offset for each")
    version = s.CharField()
    iterations = s.IntegerField(help_text="electronic")
    steps = s.IntegerField(help_text="ionic")
    magnetic_moment = maybe("μ_B", "per cell")
    gap = maybe("eV", "smallest on the mesh")
    notes = s.ListField(child=s.CharField())
    source = s.CharField(help_text="computed or uploaded")
    seconds = Quantity("s")
    core_hours = Quantity(HOURS)
    host = text()
    created_at = s.DateTimeField()


class DftFileSerializer(s.Serializer):
    """A file; its bytes: /api/v1/artifacts/SHA256/file/."""

    kind = s.CharField()
    name = text("artifact.name")
    sha256 = s.CharField(source="artifact.sha256")
    size = s.IntegerField(source="artifact.size", help_text="bytes")


class DftCalculationSerializer(DftCalculationRowSerializer, WithUnits):
    """A DFT calculation with its inputs, attempts' failures and outcome."""

    inputs = s.CharField(help_text="canonical text; its sha256 is inputs_sha256")
    run = s.JSONField(help_text="run settings of the next attempt; no part of the inputs")
    message = text()
    failures = s.JSONField(help_text="each failed attempt: kind, message, run settings, at")
    consumed = Quantity(HOURS)
    reserved = Quantity(HOURS)
    jobs = s.ListField(source="job_ids", child=s.IntegerField(), help_text="ids under jobs/")
    files = DftFileSerializer(source="listed", many=True)
    outcome = DftOutcomeSerializer(allow_null=True, default=None)


class DftRequestRowSerializer(s.Serializer):
    """Calculations that are asked for together, with counts by state."""

    id = s.IntegerField()
    campaign = s.IntegerField(source="campaign_id")
    purpose = s.CharField(help_text=" or ".join(Purpose.values))
    candidate = s.IntegerField(source="candidate_id", allow_null=True)
    title = s.CharField()
    decides = text(help_text="what its results would decide")
    sweep = s.IntegerField()
    iteration = s.IntegerField()
    uncertainty = maybe("meV/atom", "of the candidate")
    settings = s.JSONField(help_text="DftSettings when it was asked")
    proposed_by = s.CharField(source="proposed_by.username")
    created_at = s.DateTimeField()
    proposed = s.IntegerField(source="n_proposed")
    approved = s.IntegerField(source="n_approved")
    denied = s.IntegerField(source="n_denied")
    voided = s.IntegerField(source="n_voided")
    done = s.IntegerField(source="n_done")
    failed = s.IntegerField(source="n_failed")


class DftCommentSerializer(s.Serializer):
    """A word on a request."""

    author = s.CharField(source="author.username")
    text = s.CharField()
    created_at = s.DateTimeField()


class DftRequestSerializer(DftRequestRowSerializer, WithUnits):
    """A request with its calculations and comments."""

    calculations = DftCalculationRowSerializer(source="shown", many=True)
    comments = DftCommentSerializer(source="said", many=True)


class DftGrantSerializer(s.Serializer):
    """Core-hours that an approver gave."""

    id = s.IntegerField()
    core_hours = Quantity(HOURS)
    automatic = s.BooleanField(help_text="labels spend it without asking again")
    granted_by = s.CharField(source="granted_by.username")
    reason = text()
    created_at = s.DateTimeField()
    revoked_at = moment()
    revoked_by = s.CharField(source="revoked_by.username", allow_null=True, default=None)


class DftBudgetSerializer(WithUnits):
    """A campaign's core-hours: the ledger summed up, its grants, and whether proposers may approve their own."""

    granted = Quantity(HOURS)
    consumed = Quantity(HOURS)
    reserved = Quantity(HOURS)
    left = Quantity(HOURS)
    own_approval = s.BooleanField()
    grants = DftGrantSerializer(many=True)


class DftEntrySerializer(s.Serializer):
    """One line of the ledger."""

    id = s.IntegerField()
    kind = s.CharField()
    core_hours = Quantity(HOURS, help_text="signed; their sum is what is left")
    calculation = s.IntegerField(source="calculation_id", allow_null=True)
    grant = s.IntegerField(source="grant_id", allow_null=True)
    note = text()
    created_at = s.DateTimeField()


class DecidedSerializer(WithUnits):
    """The calculations after the decision."""

    results = DftCalculationRowSerializer(many=True)
