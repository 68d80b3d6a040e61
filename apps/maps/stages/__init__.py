"""How the map and the diverse sample meet the database."""

from apps.maps.stages import embed, sample

BINDINGS = (embed.BINDING, sample.BINDING)
