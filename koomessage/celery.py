"""The Celery application; its settings are read when first needed (koomessage/celery_config.py)."""

import os
from functools import partial
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")


class HintingTask(DjangoTask):
    """A job asked for after the commit: a broker that is down is logged, and never the asker's concern."""

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        transaction.on_commit(partial(self.delay, *args, **kwargs), robust=True)


app = Celery("koomessage", task_cls=HintingTask)
app.config_from_object("koomessage.celery_config")
# Jobs live in `jobs.py`: a package called `tasks` would be a section, not a list of jobs.
app.autodiscover_tasks(related_name="jobs")
