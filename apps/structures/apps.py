from django.apps import AppConfig


class StructuresConfig(AppConfig):
    name = "apps.structures"
    default_auto_field = "django.db.models.BigAutoField"
