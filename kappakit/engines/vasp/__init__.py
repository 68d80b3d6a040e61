"""VASP: by file (somebody computes elsewhere and uploads vasprun.xml) and by run (where a `vasp` is configured)."""
