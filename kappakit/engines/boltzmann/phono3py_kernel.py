"""phono3py's own kernel as an Interactions: the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phono3py


class Phono3pyInteractions:
    """Implements kappakit.ports.Interactions by what phono3py does without us."""

    name = "phono3py"
    version = f"phono3py {phono3py.__version__}"

    def prepare(self, calculation: Any, options: Mapping[str, Any]) -> dict[str, Any]:
        """phono3py's Interaction; nothing to add."""
        calculation.init_phph_interaction(**options)
        return {}
