"""The stages of the method: one module each, run(inputs, settings, *, engines) → outputs."""
