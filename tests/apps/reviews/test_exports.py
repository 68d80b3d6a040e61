"""An export: asked for, made by a real process, kept as it is."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from ase.db import connect
from ase.io import read

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign
from apps.core.errors import Conflict, NotThere
from apps.jobs.models import Job
from apps.reviews import services
from apps.reviews.models import Export, ExportState
from apps.reviews.selectors import EXPORT_COLUMNS, InvalidQuery
from apps.reviews.stages import BINDINGS
from apps.worker.launchers import LocalLauncher
from apps.worker.runner import Runner, Timing
from tests.apps.rows import a_campaign, a_candidate, a_result, a_user


@pytest.fixture
def runner(tmp_path: Path, settings) -> Runner:
    settings.ARTIFACTS = tmp_path / "artifacts"
    return Runner(
        bindings={binding.name: binding for binding in BINDINGS},
        launcher=LocalLauncher("kappakit.testing.echo_run"),
        folders=tmp_path / "stages",
        timing=Timing(lease_s=30, heartbeat_s=1, look_s=0.05),
        threads=lambda queue: 1,
        finished=lambda job, touched: None,
    )


@pytest.fixture
def campaign() -> Campaign:
    campaign = a_campaign(a_user("owner"))
    for index in range(3):
        a_result(a_candidate(campaign, index), 1000.0 + index)
    return campaign


def content(export: Export, tmp_path: Path) -> Path:
    """The export's file under the name that its format wants."""
    target = tmp_path / f"file.{export.format}"
    target.write_bytes(artifacts.read(export.artifact))
    return target


@pytest.mark.django_db(transaction=True)
def test_every_format_brings_back_the_same_crystals_and_numbers(campaign, runner, tmp_path) -> None:
    columns = ["index", "kappa_rta", "trust_label"]
    for format in ("json", "csv", "extxyz", "cif.zip", "ase.db"):
        services.export_request(
            user=campaign.owner, campaign=campaign, format=format, columns=columns, filter={"sort": "-kappa_rta"}
        )
    while runner.work("light"):
        pass
    made = {export.format: export for export in Export.objects.select_related("artifact")}
    assert {e.state for e in made.values()} == {ExportState.DONE}, Job.objects.values_list("error_message")
    assert {(e.rows, e.sha256 == e.artifact.sha256) for e in made.values()} == {(3, True)}
    files = {name: content(export, tmp_path) for name, export in made.items()}

    whole = json.loads(files["json"].read_text())
    header = EXPORT_COLUMNS["kappa_rta"]
    assert [row["values"][header] for row in whole["rows"]] == [1002.0, 1001.0, 1000.0]
    assert whole["metadata"]["filter"] == {"sort": "-kappa_rta"}
    assert whole["metadata"]["protocol_digest"] == campaign.protocol_digest
    (first, *_) = csv.DictReader(io.StringIO(files["csv"].read_text()))
    assert float(first[header]) == 1002.0
    assert len(read(files["extxyz"], index=":")) == 3
    assert len(zipfile.ZipFile(files["cif.zip"]).namelist()) >= 3
    assert len(connect(files["ase.db"])) == 3


@pytest.mark.django_db
def test_the_rows_are_fixed_when_it_is_asked_for(campaign) -> None:
    asked = services.export_request(user=campaign.owner, campaign=campaign, format="csv", filter={"kappa_min": "1001"})
    a_result(a_candidate(campaign, 9), 5000.0)
    asked.refresh_from_db()
    assert len(asked.candidates) == 2
    assert asked.columns == list(EXPORT_COLUMNS)
    assert Job.objects.get(group=f"export:{asked.pk}").kind == "export"


@pytest.mark.django_db
def test_a_list_is_exported_in_the_order_of_entry(campaign) -> None:
    owner = campaign.owner
    ids = list(campaign.candidates.order_by("-index").values_list("pk", flat=True))
    named = services.list_create(campaign=campaign, user=owner, name="mine")
    for pk in ids:
        services.list_add(candidate_list=named, candidate_ids=[pk], user=owner)
    asked = services.export_request(user=owner, campaign=campaign, format="json", candidate_list=named)
    assert asked.candidates == ids


@pytest.mark.django_db
def test_an_export_that_cannot_be_is_refused_at_once(campaign) -> None:
    ask = {"user": campaign.owner, "campaign": campaign, "format": "csv"}
    for wrong, field in [
        ({"format": "xlsx"}, "format"),
        ({"columns": ["price"]}, "columns"),
        ({"filter": {"name": "no such"}}, "filter"),
    ]:
        with pytest.raises(services.ExportRefused) as refused:
            services.export_request(**(ask | wrong))
        assert set(refused.value.detail) == {field}
    with pytest.raises(InvalidQuery):
        services.export_request(**ask, filter={"colour": "red"})
    with pytest.raises(NotThere):
        services.export_request(**(ask | {"user": a_user("stranger")}))
    assert not Export.objects.exists()


@pytest.mark.django_db
def test_a_failed_export_is_tried_again_with_the_same_rows(campaign) -> None:
    asked = services.export_request(user=campaign.owner, campaign=campaign, format="csv")
    with pytest.raises(Conflict):
        services.export_retry(export=asked, user=campaign.owner)
    (binding,) = BINDINGS
    binding.failed(Job.objects.get(group=f"export:{asked.pk}"), "the disk is full")
    asked.refresh_from_db()
    assert (asked.state, asked.error) == ("FAILED", "the disk is full")
    again = services.export_retry(export=asked, user=campaign.owner)
    assert (again.state, again.error, again.candidates) == ("QUEUED", "", asked.candidates)
