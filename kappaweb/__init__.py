"""Wiring: settings, URLs, processes and the command line. Decides nothing."""

from kappaweb.celery import app as celery_app

__all__ = ["celery_app"]
