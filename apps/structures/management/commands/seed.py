"""`manage.py seed`: what an installation begins with. Running it again changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.services import campaigns_allow, owner_ensure, user_ensure
from apps.structures.services import reference_crystals_seed
from apps.training.services import analytic_models_register, shipped_models_register


class Command(BaseCommand):
    help = "Reference crystals, potentials and three people without passwords: admin, scientist, approver."

    def handle(self, *args: Any, **options: Any) -> None:
        owner_ensure(username="admin")
        campaigns_allow(user=user_ensure(username="scientist"))
        user_ensure(username="approver")
        references = reference_crystals_seed()
        models = shipped_models_register()
        names = ", ".join(model.name for model in [*models, *analytic_models_register()])
        self.stdout.write(f"{len(references)} reference crystals; potentials: {names}")
