from django.apps import AppConfig


class ArtifactsConfig(AppConfig):
    """Files by content."""

    name = "apps.artifacts"
