"""A job's page says where it was computed and at what cost."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from apps.jobs.models import Attempt
from tests.web.world import World


def test_a_cluster_is_named_with_what_was_asked_and_used(ours: Client, world: World):
    asked, used = {"cores": 4, "time_s": 3600, "memory_mib": 2048}, {"time_s": 725.0, "memory_mib": 1310.6}
    there = {"scheduler": "Slurm", "id": "123", "node": "node7", "state": "fetched", "scheduler_state": "COMPLETED"}
    Attempt.objects.filter(job=world.job).update(resources=there | {"asked": asked, "used": used})
    text = " ".join(ours.get(reverse("job", args=[world.job.pk])).content.decode().split())
    assert "Slurm 123 on node7: fetched (COMPLETED)" in text
    assert "asked 4 cores, 1 h 0 min, 2048 MiB" in text
    assert "used 12 min 5 s, 1311 MiB" in text
