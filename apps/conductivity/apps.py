from django.apps import AppConfig


class ConductivityConfig(AppConfig):
    name = "apps.conductivity"
    default_auto_field = "django.db.models.BigAutoField"
