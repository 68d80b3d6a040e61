"""What models, jobs, lists, files and decisions show; measured things are in rows."""

from __future__ import annotations

from rest_framework import serializers as s

from apps.api.facts import WithUnits, serializer_of
from apps.api.rows import CandidateRowSerializer, ModelNameSerializer, moment, text
from apps.training.selectors import GeneratorQuality


class ModelRowSerializer(ModelNameSerializer):
    """A trained model."""

    kind = s.CharField(help_text="potential or generator")
    engine = s.CharField()
    configuration = text()
    seed = s.IntegerField()
    state = s.CharField()
    error = text()
    version = text()
    species = s.ListField(child=s.CharField(), help_text="Chemical symbols that it knows; empty: any.")
    created_at = s.DateTimeField()
    finished_at = moment()


class ModelFileSerializer(s.Serializer):
    """A stored file of a model; its bytes: /api/v1/artifacts/SHA256/file/."""

    name = s.CharField()
    sha256 = s.CharField()
    size = s.IntegerField(help_text="bytes")


class ModelSerializer(ModelRowSerializer, WithUnits):
    """A trained model with its card, files and curve (one value an epoch, some steps apart for a generator).

    `quality`: what a generator was measured to be worth; null where it was never measured.
    """

    overrides = s.JSONField()
    card = s.JSONField()
    files = ModelFileSerializer(many=True)
    curve = s.DictField(child=s.ListField(child=s.FloatField()))
    quality = serializer_of(GeneratorQuality)(allow_null=True)
    why_waiting = text()


class JobRowSerializer(s.Serializer):
    """A job: one batch of one stage."""

    id = s.IntegerField()
    kind = s.CharField()
    group = s.CharField(help_text="Who asked: step:ID, training:ID, assessment:ID, export:ID, kappa:ID.")
    label = text()
    queue = s.CharField()
    state = s.CharField()
    priority = s.IntegerField()
    attempt = s.IntegerField()
    progress_done = s.IntegerField()
    progress_total = s.IntegerField()
    progress_note = text()
    created_at = s.DateTimeField()
    started_at = moment()
    finished_at = moment()
    error_code = text()
    error_message = text()


class AttemptSerializer(s.Serializer):
    """One try of a job."""

    number = s.IntegerField()
    host = text()
    versions = s.JSONField()
    resources = s.JSONField(help_text="On a cluster: its name and number there, where, what was asked and used.")
    started_at = s.DateTimeField()
    ended_at = moment()
    outcome = s.CharField()
    exit_code = s.IntegerField(allow_null=True)
    message = text()
    log_sha256 = s.CharField(source="log.sha256", allow_null=True, default=None)


class JobSerializer(JobRowSerializer):
    """A job with its attempts and why it waits."""

    attempts = AttemptSerializer(many=True)
    why_waiting = text()


class ListRowSerializer(s.Serializer):
    """A named candidate list."""

    id = s.IntegerField()
    campaign = s.IntegerField(source="campaign_id")
    name = s.CharField()
    description = text()
    owner = s.CharField(source="owner.username")
    created_at = s.DateTimeField()


class ListItemSerializer(s.Serializer):
    """A candidate on a list."""

    note = text()
    added_by = s.CharField(source="added_by.username")
    added_at = s.DateTimeField()
    candidate = CandidateRowSerializer(source="candidate.summary")


class ArtifactSerializer(s.Serializer):
    """A file that never changes."""

    sha256 = s.CharField()
    kind = s.CharField()
    name = text()
    size = s.IntegerField(help_text="bytes")
    content_type = s.CharField()
    created_at = s.DateTimeField()


class ExportSerializer(s.Serializer):
    """A download: which rows by which filter, in which format; once DONE its file never changes."""

    id = s.IntegerField()
    campaign = s.IntegerField(source="campaign_id")
    list = s.IntegerField(source="list_id", allow_null=True)
    filter = s.JSONField()
    columns = s.ListField(child=s.CharField())
    format = s.CharField()
    state = s.CharField()
    error = text()
    rows = s.IntegerField(allow_null=True)
    sha256 = text(help_text="of the file; empty until it is done")
    requested_by = s.CharField(source="requested_by.username")
    created_at = s.DateTimeField()
    finished_at = moment()


class ReviewSerializer(s.Serializer):
    """A reviewer's word on a candidate."""

    id = s.IntegerField()
    candidate = s.IntegerField(source="candidate_id")
    author = s.CharField(source="author.username")
    kind = s.CharField()
    text = s.CharField(allow_blank=True)
    created_at = s.DateTimeField()


class ValidationSerializer(s.Serializer):
    """A validation by DFT, as it was asked for; what came of it stands in the candidate's dossier."""

    id = s.IntegerField()
    candidate = s.IntegerField(source="candidate_id")
    part = s.CharField()
    state = s.CharField()
    error = text()
    requested_by = s.CharField(source="requested_by.username")
    created_at = s.DateTimeField()


class ImportSerializer(s.Serializer):
    """A file that a campaign imports."""

    id = s.IntegerField()
    file_name = s.CharField()
    sha256 = s.CharField(source="artifact.sha256")
    size = s.IntegerField(source="artifact.size", help_text="bytes")
    created_at = s.DateTimeField()
