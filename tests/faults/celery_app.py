"""The project's Celery application, with promises an experiment takes away (FAULTS_… in the environment)."""

import os

from koomessage.celery import app

app.finalize()
options = {**app.conf.broker_transport_options}
if visible := os.environ.get("FAULTS_VISIBILITY_TIMEOUT"):
    options["visibility_timeout"] = float(visible)
app.conf.broker_transport_options = options
app.conf.worker_prefetch_multiplier = int(os.environ.get("FAULTS_PREFETCH", "1"))
# Which of them Celery keeps is its default elsewhere: sending may not depend on either.
for name, job in app.tasks.items():
    if name.startswith("email_service."):
        if "FAULTS_ACKS_LATE" in os.environ:
            job.acks_late = os.environ["FAULTS_ACKS_LATE"] == "1"
        if "FAULTS_REJECT_LOST" in os.environ:
            job.reject_on_worker_lost = os.environ["FAULTS_REJECT_LOST"] == "1"
