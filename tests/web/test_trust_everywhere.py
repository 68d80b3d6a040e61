"""The trust label stands wherever κ_L does: pages, the map's hover, exports, REST, terminal, admin."""

from __future__ import annotations

import io
import json

import pytest
from django.urls import reverse
from rich.console import Console

from apps.accounts.models import User
from apps.conductivity.models import KappaTensor
from apps.reviews.selectors import ranked_table
from apps.reviews.selectors.exports import export_inputs
from apps.reviews.services import export_request
from apps.terminal.management.commands.kappa import described
from apps.terminal.ranking import print_ranked
from tests.apps import rows
from tests.apps.committee_rows import a_history, energy_std
from tests.web import world as w

DOUBT = "error about 5.4 %"
"""What the label says of diamond's convergence."""


@pytest.fixture
def said(world) -> str:
    """The committee's word on diamond."""
    a_history(world.campaign, [world.candidates["diamond"], world.candidates["lonsdaleite"]])
    return f"uncertainty {energy_std(0, 2):.3g} meV/atom (8 members)"


def pages(world) -> dict[str, str]:
    pk, diamond = world.campaign.pk, world.candidates["diamond"].pk
    return {
        "ranked table": reverse("campaign", args=[pk]),
        "ranked table alone": reverse("campaign-results", args=[pk]),
        "candidates": reverse("candidates", args=[pk]) + "?sort=-kappa_rta",
        "candidate": reverse("candidate", args=[diamond]),
        "list": reverse("list", args=[world.list.pk]),
        "controls": reverse("controls"),
        "map": reverse("map", args=[pk]),
        "REST candidates": f"/api/v1/campaigns/{pk}/candidates/?sort=-kappa_rta",
        "REST candidate": f"/api/v1/candidates/{diamond}/",
        "REST ranking": f"/api/v1/campaigns/{pk}/ranking/",
        "REST tensors": f"/api/v1/tensors/?campaign={pk}",
        "REST tensor": f"/api/v1/tensors/{KappaTensor.objects.filter(candidate_id=diamond, method='RTA').get().pk}/",
        "REST controls": "/api/v1/controls/",
    }


def test_every_page_and_every_answer_shows_it_with_the_committee_s_word(ours, world, said) -> None:
    world.list.items.create(candidate=world.candidates["diamond"], added_by=world.owner)
    for name, address in pages(world).items():
        told = ours.get(address).content.decode()
        assert DOUBT in told, name
        assert said in told, name


def test_the_neighbours_on_the_map_have_it(ours, world, said, monkeypatch) -> None:
    from apps.maps.selectors import Near

    near = [Near(world.candidates["diamond"].pk, 0.1)]
    monkeypatch.setattr("apps.reviews.selectors.dossiers.neighbours_of", lambda *_, **__: near)
    told = ours.get(reverse("candidate-place", args=[world.candidates["bct-C4"].pk])).content.decode()
    assert said in told


def test_the_admin_s_rows_have_it(client, world, said) -> None:
    client.force_login(User.objects.create_superuser("root", password="correct horse"))
    assert said in client.get(reverse("admin:reviews_candidatesummary_changelist")).content.decode()


def test_an_export_of_kappa_brings_it_though_it_was_not_asked_for(world, said) -> None:
    export = export_request(
        user=world.owner, campaign=world.campaign, format="csv", columns=["index", "kappa_rta"], filter={}
    )
    assert export.columns == ["index", "kappa_rta", "trust_label"]
    labels = [json.loads(row[2]) for row in export_inputs(export).rows]
    assert any(said in label and DOUBT in label for label in labels)
    plain = export_request(user=world.owner, campaign=world.campaign, format="csv", columns=["index"], filter={})
    assert plain.columns == ["index"]


def test_the_terminal_prints_it(world, said) -> None:
    console = Console(file=io.StringIO(), width=240)
    print_ranked(ranked_table(world.campaign), console)
    told = console.file.getvalue()
    assert "Trust, of all above: " in told
    assert DOUBT in told
    assert said in told


def test_the_terminal_s_tensor_has_it() -> None:
    told = w.temperatures(3.0)
    values = {name: told[name] for name in ("temperatures", "kappa", "principal", "uvw")}
    label = ["carbon-laptop", "RTA", "300 K"]
    mesh = rows.mesh_facts(values["principal"])
    tensor = KappaTensor(method="RTA", temperature=300.0, label=label, **mesh, **values)
    lines = described(tensor)
    assert lines[0].startswith("κ_L (RTA, mesh of 28.5 Å (8×8×8)), W/(m·K)")
    assert [line for line in lines if "6×6×6" in line]
    assert lines[-2:] == ["  converged: 1.8 % (±5.4 %)", "  trust: " + " · ".join(label)]
    untested = KappaTensor(method="RTA", temperature=300.0, label=label, **rows.mesh_facts([3.0], None), **values)
    assert described(untested)[-2] == "  converged: not tested"
