"""Every address as a stranger, as somebody else, as a viewer and as who may: invisible things are 404."""

from __future__ import annotations

import hashlib

import pytest
from django.urls import get_resolver, reverse
from rest_framework.test import APIClient

from apps.api.urls import urlpatterns
from apps.jobs.models import Job
from tests.api import rows, world

OPEN = {"api-schema", "api-docs"}
OWN = {"api-tokens", "api-token"}
LISTS = {"api-campaigns", "api-lists", "api-structures", "api-tensors", "api-jobs", "api-controls"}
FOR_ALL = {"api-models", "api-model"}
WRITES = {
    "api-start": ("operator", {}),
    "api-cancel": ("operator", {}),
    "api-resume": ("operator", {}),
    "api-plan-start": ("operator", {}),
    "api-plan-retry": ("operator", {}),
    "api-study-cancel": ("operator", {}),
    "api-study-retry": ("operator", {}),
    "api-campaign-lists": ("reviewer", {"name": "more"}),
    "api-list-items": ("reviewer", {"candidates": [1]}),
    "api-list-remove": ("reviewer", {"candidates": [1]}),
    "api-dft-decide": ("approver", {"shown": [[1, 1]], "answer": "deny", "reason": "no"}),
    "api-reviews": ("reviewer", {"kind": "comment", "text": "fine"}),
}
NO_GET = {"api-start", "api-cancel", "api-resume", "api-imports", "api-list-remove", "api-reviews"} | {
    "api-plan-start",
    "api-plan-retry",
    "api-token",
    "api-like",
    "api-assessments",
    "api-dft-decide",
    "api-validations",
    "api-study-cancel",
    "api-study-retry",
}
NAMES = [p.name for p in urlpatterns if p.name]
ABOUT_ROWS = [n for n in NAMES if n not in OPEN | OWN | LISTS | FOR_ALL]


@pytest.fixture
def there(ada):
    return world.build(ada)


def client(user) -> APIClient:
    made = APIClient()
    made.force_login(user)
    return made


def write(who: APIClient, name: str, there: world.World):
    _, body = WRITES[name]
    waiting = there.dft_request.calculations.first()
    ours = {"candidates": [there.candidate.pk], "shown": [[waiting.pk, waiting.version]]}
    filled = body | {key: ours[key] for key in body if key in ours}
    return who.post(address(name, there), filled, format="json")


def address(name: str, there: world.World) -> str:
    where = {
        "campaign": there.campaign.pk, "candidate": there.candidate.pk, "row": there.list.pk, "job": there.job.pk,
        "export": there.export.pk, "plan": there.plan.pk, "structure": there.candidate.relaxed_id,
        "tensor": there.tensor.pk, "model": there.model.pk,
        "dft_request": there.dft_request.pk, "study": there.study.pk,
        "calculation": there.dft_request.calculations.first().pk, "sha256": there.files["fc3"].sha256,
        "key": "0123456789",
    }  # fmt: skip
    wanted = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
    return reverse(name, kwargs={key: where[key] for key in wanted})


def statuses(names, ask) -> dict[str, int]:
    """What each address answered, for one comparison that shows every stray."""
    return {name: ask(name).status_code for name in names}


def test_without_a_token_every_address_is_a_401(there):
    names = [name for name in NAMES if name not in OPEN]
    for method in ("get", "post", "delete"):
        found = statuses(names, lambda n: getattr(APIClient(), method)(address(n, there), {}, format="json"))  # noqa: B023
        assert found == dict.fromkeys(names, 401), method


def test_to_somebody_else_the_rows_of_a_campaign_do_not_exist(there):
    eve = client(rows.user("eve"))
    names = [name for name in ABOUT_ROWS if name not in NO_GET]
    assert statuses(names, lambda n: eve.get(address(n, there))) == dict.fromkeys(names, 404)
    assert statuses(WRITES, lambda n: write(eve, n, there)) == dict.fromkeys(WRITES, 404)


def test_to_somebody_else_the_lists_are_empty(there):
    eve = client(rows.user("eve"))
    for name in LISTS - {"api-controls"}:
        assert eve.get(address(name, there)).json()["results"] == [], name


def test_a_viewer_reads_everything_of_the_campaign(there):
    viewer = client(world.member(there.campaign, "vera", "viewer"))
    names = [name for name in NAMES if name not in NO_GET | OWN]
    assert statuses(names, lambda n: viewer.get(address(n, there))) == dict.fromkeys(names, 200)
    for name in LISTS - {"api-controls"}:
        assert viewer.get(address(name, there)).json()["results"], name


def test_a_viewer_changes_nothing(there):
    viewer = client(world.member(there.campaign, "vera", "viewer"))
    assert statuses(WRITES, lambda n: write(viewer, n, there)) == dict.fromkeys(WRITES, 403)


def test_the_role_that_a_change_takes_is_enough(there):
    people = {role: client(world.member(there.campaign, role, role)) for role in ("operator", "reviewer", "approver")}
    found = statuses(WRITES, lambda n: write(people[WRITES[n][0]], n, there))
    assert {name: status for name, status in found.items() if status in {401, 403, 404} or status >= 500} == {}


def test_what_takes_the_permission_to_create_campaigns_is_refused_without_it(there):
    eve, viewer = client(rows.user("eve")), client(world.member(there.campaign, "vera", "viewer"))
    like, assessments = address("api-like", there), address("api-assessments", there)
    assert eve.post(like, {"name": "mine"}, format="json").status_code == 404
    assert viewer.post(like, {"name": "mine"}, format="json").status_code in {403, 409}
    assert viewer.post(assessments, {}, format="json").status_code == 403


def test_creating_campaigns_is_a_global_permission(ada_session):
    answer = ada_session.post("/api/v1/campaigns/", {"name": "mine"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_a_file_is_reached_only_through_something_visible(there):
    eve, viewer = client(rows.user("eve")), client(world.member(there.campaign, "vera", "viewer"))
    for kind in ("fc3", "map", "import", "export", "log", "modes"):
        path = f"/api/v1/artifacts/{there.files[kind].sha256}/"
        assert {eve.get(path).status_code, eve.get(path + "file/").status_code} == {404}, kind
        assert viewer.get(path).json()["sha256"] == there.files[kind].sha256
        content = b"".join(viewer.get(path + "file/").streaming_content)
        assert hashlib.sha256(content).hexdigest() == there.files[kind].sha256


def test_weights_are_for_everybody_who_signs_in(there):
    path = f"/api/v1/artifacts/{there.files['weights'].sha256}/"
    assert client(rows.user("eve")).get(path).status_code == 200


def test_a_member_of_one_campaign_sees_nothing_of_another(there):
    other = world.build(rows.user("bob"), "silicon")
    viewer = client(world.member(there.campaign, "vera", "viewer"))
    assert [c["id"] for c in viewer.get("/api/v1/campaigns/").json()["results"]] == [there.campaign.pk]
    assert [t["id"] for t in viewer.get("/api/v1/tensors/").json()["results"]] == [there.tensor.pk]
    assert [j["id"] for j in viewer.get("/api/v1/jobs/").json()["results"]] == [there.job.pk]
    assert {s["id"] for s in viewer.get("/api/v1/structures/").json()["results"]} == {
        there.candidate.start_id,
        there.candidate.relaxed_id,
    }
    answer = viewer.post(f"/api/v1/lists/{there.list.pk}/items/", {"candidates": [other.candidate.pk]}, format="json")
    assert answer.status_code == 403


def test_a_list_takes_no_candidate_of_another_campaign(there, ada_session):
    other = world.build(rows.user("bob"), "silicon")
    path = f"/api/v1/lists/{there.list.pk}/items/"
    answer = ada_session.post(path, {"candidates": [other.candidate.pk]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_jobs_are_visible_with_the_campaign_that_asked_whatever_asked(there):
    bob = rows.user("bob")
    other = world.build(bob, "silicon")
    groups = {f"neighbours:{w.campaign.pk}": w for w in (there, other)}
    groups |= {f"kappa:{w.plan.pk}": w for w in (there, other)} | {f"export:{w.export.pk}": w for w in (there, other)}
    for group in groups:
        Job.objects.create(kind="neighbours", group=group, key=group, label="k", queue="light")
    seen = client(bob).get("/api/v1/jobs/?kind=neighbours").json()["results"]
    assert {job["group"] for job in seen} == {group for group, whose in groups.items() if whose is other}
