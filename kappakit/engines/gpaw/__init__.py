"""GPAW behind ports.DftCode: a program in an environment of its own (`make dft`), never imported here."""
