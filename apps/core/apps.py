from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What every app leans on."""

    name = "apps.core"
