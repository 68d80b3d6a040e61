"""Settings: base reads the environment; test overrides a few lines."""
