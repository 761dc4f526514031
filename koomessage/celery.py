"""The Celery application; its settings are read when first needed (koomessage/celery_config.py)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")

app = Celery("koomessage")
app.config_from_object("koomessage.celery_config")
# Jobs live in `jobs.py`: a package called `tasks` would be a section, not a list of jobs.
app.autodiscover_tasks(related_name="jobs")
