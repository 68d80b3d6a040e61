"""How the stages that make and judge candidates meet the database."""

from apps.structures.stages import (
    deduplicate,
    generate,
    generation_report,
    import_structures,
    novelty,
    relax,
    screen,
    stability,
    thin,
    training_crystals,
    training_novelty,
)

BINDINGS = (
    import_structures.BINDING,
    generate.BINDING,
    training_crystals.BINDING,
    generation_report.BINDING,
    thin.BINDING,
    relax.BINDING,
    deduplicate.BINDING,
    novelty.BINDING,
    training_novelty.BINDING,
    screen.BINDING,
    stability.BINDING,
)
