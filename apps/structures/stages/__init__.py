"""How the stages that make and judge candidates meet the database."""

from apps.structures.stages import deduplicate, generate, import_structures, novelty, relax, screen, stability

BINDINGS = (
    import_structures.BINDING,
    generate.BINDING,
    relax.BINDING,
    deduplicate.BINDING,
    novelty.BINDING,
    screen.BINDING,
    stability.BINDING,
)
