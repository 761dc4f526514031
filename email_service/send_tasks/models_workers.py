"""What workers tell of themselves: who lives, what they count, how fast they are."""

from django.db import models


class Worker(models.Model):
    """A worker process that keeps a journal, as it last told of itself."""

    name = models.CharField(max_length=100, primary_key=True)  # of its journal
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    connections = models.PositiveIntegerField(default=0)  # open to servers
    untold = models.PositiveIntegerField(default=0)  # replies in its journal that are not in the database yet

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """What a host's workers have counted since the beginning; only grows."""

    host = models.CharField(max_length=255)
    name = models.CharField(max_length=24)
    label = models.CharField(max_length=24)
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "name", "label"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.host} {self.name} {self.label}"


class Pace(models.Model):
    """How many attempts ended so in a minute, for the rates of the last hour."""

    minute = models.DateTimeField()
    verdict = models.CharField(max_length=10)
    attempts = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["minute", "verdict"], name="pace_once")]

    def __str__(self) -> str:
        return f"{self.minute:%H:%M} {self.verdict}"


class Heartbeat(models.Model):
    """When something that runs by the clock last ran."""

    name = models.CharField(max_length=24, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
