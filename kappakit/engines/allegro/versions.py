"""The engine's name with the versions of its libraries."""

from importlib.metadata import version

VERSION = f"allegro (nequip {version('nequip')}, nequip-allegro {version('nequip-allegro')}, torch {version('torch')})"
