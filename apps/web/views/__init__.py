"""Views: translate in, one call of the domain, translate out."""
