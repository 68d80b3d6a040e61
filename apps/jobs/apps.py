from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The work and who does it."""

    name = "apps.jobs"
