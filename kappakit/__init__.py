"""The physics of kappaweb: no web, no queue, no database, no settings, no clock."""
