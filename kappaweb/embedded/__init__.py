"""The stack on one machine without root and without services: PostgreSQL, web, workers, reconcile."""
