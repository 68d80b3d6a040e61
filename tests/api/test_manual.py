"""What docs/api.md tells a stranger works as it stands, over real HTTP."""

from __future__ import annotations

import hashlib
import re
import runpy
import threading
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.db import connection
from knox.models import AuthToken

from apps.accounts.services import login_link_create
from apps.api.urls import urlpatterns
from apps.core import clock
from apps.reviews.models import Export
from apps.reviews.services.exports import export_done
from tests.api import rows, world

MANUAL = Path(settings.BASE_DIR) / "docs" / "api.md"


@pytest.fixture
def there(transactional_db):
    return world.build(rows.user("ada"))


class Writer(threading.Thread):
    """Finishes the first export that somebody asks for, as the worker would."""

    def __init__(self, there: world.World) -> None:
        super().__init__(daemon=True)
        self.there = there
        self.over = threading.Event()

    def run(self) -> None:
        file = self.there.files["export"]
        while not self.over.wait(0.1):
            for export in Export.objects.filter(state="QUEUED"):
                export_done(export_id=export.pk, artifact=file, rows=1, sha256=file.sha256)
        connection.close()


def test_the_python_program_of_the_manual_runs(there, live_server, tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    script = tmp_path / "program.py"
    script.write_text(program)
    monkeypatch.chdir(tmp_path)
    _, token = AuthToken.objects.create(there.campaign.owner)
    for name, value in {"SITE": live_server.url, "CAMPAIGN": str(there.campaign.pk), "TOKEN": token}.items():
        monkeypatch.setenv(name, value)
    writer = Writer(there)
    writer.start()
    runpy.run_path(str(script))
    writer.over.set()
    writer.join()
    sha256 = hashlib.sha256((tmp_path / "good.extxyz").read_bytes()).hexdigest()
    assert capsys.readouterr().out == f"1 crystals, {sha256}\n"
    assert Export.objects.latest("pk").candidates == [there.candidate.pk]


def test_a_login_link_leads_to_a_token_without_a_browser(there, live_server):
    link = login_link_create(user=there.campaign.owner, now=clock.now())
    shell = requests.Session()
    shell.get(f"{live_server.url}/enter/{link}/", allow_redirects=False)
    headers = {"X-CSRFToken": shell.cookies["csrftoken"], "Referer": f"{live_server.url}/"}
    made = shell.post(f"{live_server.url}/api/v1/tokens/", json={"days": 30}, headers=headers)
    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert requests.get(f"{live_server.url}/api/v1/campaigns/", headers=bearer, timeout=30).json()["results"]


def test_the_manual_names_every_address():
    text = MANUAL.read_text()
    for pattern in urlpatterns:
        last = re.findall(r"[a-z]+", str(pattern.pattern).replace("<int:", "").split("(?P")[0])
        assert not pattern.name or f"{last[-1]}" in text, pattern.name
