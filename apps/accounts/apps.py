from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may sign in."""

    name = "apps.accounts"
