"""Generators on pages: the list, the page of one with curves and figures, training and measuring them."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.models import User
from apps.artifacts.services import store_bytes
from apps.jobs.models import Job
from apps.training.models import ModelFile, TrainedModel, TrainingFile
from apps.training.services import CONFIGURATIONS, SPLITS
from apps.web.forms.training import GENERATOR_CONFIGURATIONS, GENERATOR_SPLITS
from kappakit.engines.cdvae.configurations import CONFIGURATIONS as OF_THE_ENGINE
from tests.web import world as w

NEW = "/models/new/generator/"
CARBON = b"2\n\nC 0 0 0\nC 1 1 1\n"


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path):
    settings.ARTIFACTS = tmp_path / "artifacts"


def page_of(client, model) -> str:
    answer = client.get(reverse("model", args=[model.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def filled(**changes) -> dict:
    asked = {"name": "mine", "configuration": "tiny", "split": "grouped", "seed": 4, "minutes": 1.5, "overrides": ""}
    files = {"train": SimpleUploadedFile("train.extxyz", CARBON), "test": SimpleUploadedFile("test.extxyz", CARBON)}
    return {key: value for key, value in {**asked, **files, **changes}.items() if value is not None}


# --- pages


def test_the_list_says_which_model_is_what(trainer) -> None:
    w.a_model()
    w.a_generator()
    page = trainer.get(reverse("models")).content.decode()
    assert "<td>potential</td>" in page
    assert "<td>generator</td>" in page
    assert page.count('label-ok">passes') == 1
    assert reverse("generator-new") in page


def test_who_may_not_train_is_offered_no_training(client, db) -> None:
    client.force_login(User.objects.create_user("guest"))
    assert reverse("generator-new") not in client.get(reverse("models")).content.decode()
    assert "You may not train models" in client.get(NEW).content.decode()
    assert 'action="/models/' not in page_of(client, w.a_generator())


def test_the_page_of_a_generator_shows_curves_and_card(trainer) -> None:
    page = page_of(trainer, w.a_generator())
    for name in ("coordinates", "lattice", "number", "kl", "learning_rate"):
        assert f'data-figure="curve-{name}"' in page
    assert 'aria-label="KL divergence over steps"' in page
    facts = ("parameters", "6091", "2032", "2030", "by file", "left out · more than 24 atoms in the cell")
    facts += ("refused · unreadable", "skipped steps", "8123.4", "x86_64", "architecture · cutoff (Å)")
    assert [words for words in facts if words not in page] == []
    assert "Not measured yet." in page
    assert "Teacher" not in page


def test_what_was_measured_stands_beside_what_was_published(trainer) -> None:
    page = page_of(trainer, w.a_generator(quality=w.QUALITY))
    assert "1000 generated and 500 reconstructed crystals; sampler annealed, 3 tries a crystal" in page
    for ours, theirs in (("53.12", "55.22"), ("0.1187", "0.1251"), ("99.11", "99.80"), ("90.34", "83.08"),
                         ("0.0912", "0.1407"), ("–", "0.2850"), ("87.30", "–"), ("0.213", "–")):  # fmt: skip
        assert f'<td class="num fw-medium">{ours}</td><td class="num">{theirs}</td>' in page, (ours, theirs)
    for unit in ("(V/N)^(1/3)", "g/cm³", "eV/atom"):
        assert unit in page
    assert "Measure again" in page


def test_a_generator_s_files_are_downloads(trainer) -> None:
    model = w.a_generator()
    file = store_bytes(b"crystals", kind="crystals.safetensors", name="crystals.safetensors")
    ModelFile.objects.create(model=model, name="crystals.safetensors", artifact=file)
    answer = trainer.get(reverse("model-file", args=[model.pk, "crystals.safetensors"]))
    assert b"".join(answer) == b"crystals"


def test_a_campaign_s_pages_ask_as_little_with_a_generator(trainer, django_assert_max_num_queries) -> None:
    model = w.a_generator(quality=w.QUALITY)
    with django_assert_max_num_queries(15):
        page_of(trainer, model)


# --- measuring


def test_measuring_is_one_job_whose_progress_the_page_shows(trainer) -> None:
    model = w.a_generator()
    address = reverse("model-assess", args=[model.pk])
    answer = trainer.post(address, {"count": 20, "reconstructed": 10})
    assert answer["Location"] == reverse("model", args=[model.pk])
    job = Job.objects.get(group=f"assessment:{model.pk}")
    assert (job.params["count"], job.params["reconstructed"]) == (20, 10)
    Job.objects.filter(pk=job.pk).update(progress_done=3, progress_total=20, progress_note="generated")
    page = page_of(trainer, model)
    assert "3 of 20 generated" in page
    assert 'hx-trigger="every 3s"' in page
    assert "No worker takes heavy jobs." in page
    assert f'action="{address}"' not in page
    again = trainer.post(address, {"count": 20, "reconstructed": 10})
    assert again.status_code == 409
    assert "It is being measured already." in again.content.decode()


def test_the_page_refreshes_when_measuring_is_over_and_says_why_it_failed(trainer) -> None:
    model = w.a_generator()
    Job.objects.create(kind="assess_generator", group=f"assessment:{model.pk}", key="k", label="Measure", queue="heavy",
                       state="FAILED", error_message="carbon has no test crystals")  # fmt: skip
    answer = trainer.get(reverse("model-progress", args=[model.pk]))
    assert (answer.status_code, answer["HX-Refresh"]) == (286, "true")
    assert "It could not be measured.</strong> carbon has no test crystals" in answer.content.decode()
    assert f'action="{reverse("model-assess", args=[model.pk])}"' in page_of(trainer, model)


@pytest.mark.parametrize("count", ["0", "100001", "many", ""])
def test_a_wrong_number_of_crystals_is_told_at_its_field(trainer, count) -> None:
    answer = trainer.post(reverse("model-assess", args=[w.a_generator().pk]), {"count": count, "reconstructed": "10"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert 'id="id_count_error"' in page
    assert 'id="id_reconstructed_error"' not in page
    assert not Job.objects.exists()


def test_a_generator_without_test_crystals_cannot_be_measured(trainer) -> None:
    model = w.a_generator()
    model.card["data"]["test"] = 0
    model.save()
    assert "nothing to measure it against" in page_of(trainer, model)
    answer = trainer.post(reverse("model-assess", args=[model.pk]), {"count": 20, "reconstructed": 10})
    assert answer.status_code == 409


def test_measuring_takes_the_permission_and_a_generator(client, trainer) -> None:
    potential = w.a_model()
    asked = {"count": 20, "reconstructed": 10}
    assert "Measure" not in page_of(trainer, potential)
    assert trainer.post(reverse("model-assess", args=[potential.pk]), asked).status_code == 409
    client.force_login(User.objects.create_user("guest"))
    assert client.post(reverse("model-assess", args=[w.a_generator().pk]), asked).status_code == 403
    assert not Job.objects.exists()


# --- training


def test_the_choices_are_the_engine_s() -> None:
    assert tuple(OF_THE_ENGINE) == CONFIGURATIONS == tuple(GENERATOR_CONFIGURATIONS)
    assert tuple(GENERATOR_SPLITS) == SPLITS


def test_what_is_filled_in_becomes_a_training(trainer) -> None:
    answer = trainer.post(NEW, filled(overrides='{"steps": 50}'))
    model = TrainedModel.objects.get()
    assert answer["Location"] == reverse("model", args=[model.pk])
    assert (model.kind, model.name, model.configuration, model.seed) == ("generator", "mine", "tiny", 4)
    assert (model.options, model.overrides) == ({"split": "grouped", "minutes": 1.5}, {"steps": 50})
    files = TrainingFile.objects.filter(model=model).values_list("part", "file_name")
    assert set(files) == {("train", "train.extxyz"), ("test", "test.extxyz")}
    assert Job.objects.get().group == f"training:{model.pk}"
    assert 'action="' + reverse("model-cancel", args=[model.pk]) in page_of(trainer, model)


def test_a_training_of_a_generator_is_stopped_and_resumed(trainer) -> None:
    trainer.post(NEW, filled())
    model = TrainedModel.objects.get()
    trainer.post(reverse("model-cancel", args=[model.pk]))
    model.refresh_from_db()
    assert model.state == "CANCELLED"
    trainer.post(reverse("model-resume", args=[model.pk]))
    model.refresh_from_db()
    assert (model.state, Job.objects.get().state) == ("TRAINING", "QUEUED")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "taken"}),
        ("configuration", {"configuration": "huge"}),
        ("train", {"train": None}),
        ("test", {"test": SimpleUploadedFile("empty.cif", b"")}),
        ("split", {"split": "halves"}),
        ("seed", {"seed": -1}),
        ("minutes", {"minutes": -1}),
        ("minutes", {"minutes": "nan"}),
        ("overrides", {"overrides": "{steps"}),
        ("overrides", {"overrides": "[1]"}),
    ],
)
def test_what_is_wrong_stands_at_its_field(trainer, field, changes) -> None:
    w.a_generator("taken")
    answer = trainer.post(NEW, filled(**changes))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f'id="id_{field}_error"' in page
    assert page.count('class="invalid-feedback"') == 1
    assert TrainedModel.objects.count() == 1
    assert not Job.objects.exists()


def test_training_a_generator_takes_the_permission(client, db) -> None:
    client.force_login(User.objects.create_user("guest"))
    answer = client.post(NEW, filled())
    assert answer.status_code == 400
    assert "You may not train models" in answer.content.decode()
    assert not TrainedModel.objects.exists()
