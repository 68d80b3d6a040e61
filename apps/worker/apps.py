from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """Takes jobs, launches stages, moves campaigns on."""

    name = "apps.worker"
