from importlib import import_module

from django.apps import AppConfig

from kappakit.testing.echo import register


class EchoesConfig(AppConfig):
    """One row for each word that a job echoed: the side effect that must happen exactly once."""

    name = "tests.faults.echoes"
    label = "echoes"

    def ready(self) -> None:
        register()
        bindings = import_module("tests.faults.echoes.binding")
        import_module("apps.worker.registry").BINDINGS["echo"] = bindings.ECHO
