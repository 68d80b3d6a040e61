"""A random symmetric search: a Generator that needs no training. See `kappakit.engines.search.generator`."""
