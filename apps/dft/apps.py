from django.apps import AppConfig


class DftConfig(AppConfig):
    name = "apps.dft"
    default_auto_field = "django.db.models.BigAutoField"
