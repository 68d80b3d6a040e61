from django.db import models


class Echo(models.Model):
    """Not unique on purpose: a doubled side effect must show."""

    job_id = models.BigIntegerField()
    word = models.CharField(max_length=200)
    failed = models.BooleanField(default=False)
