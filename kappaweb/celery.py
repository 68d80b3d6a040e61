"""The Celery application: transport only. PostgreSQL says what is next and what is done."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kappaweb.settings.base")

app = Celery("kappaweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["apps.worker"])
