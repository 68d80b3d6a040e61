"""A random symmetric search: a Generator that needs no training."""

from kappakit.engines.search.generator import SearchGenerator

__all__ = ["SearchGenerator"]
