"""Forms: what a person types, translated for the services."""
