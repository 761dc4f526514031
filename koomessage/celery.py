"""The Celery application; its settings are read when first needed (koomessage/celery_config.py)."""

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import Celery, bootsteps
from celery.contrib.django.task import DjangoTask
from django.conf import settings
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koomessage.settings")
logger = logging.getLogger(__name__)
# Nobody who asks for a job waits longer for the broker.
PUBLISH_WITHIN = 1.0


class BrokerSilent(Exception):
    """The broker did not take the job in time. It may still; whoever asked goes on."""


class HintingTask(DjangoTask):
    """A job asked for after the commit: a broker that is down is logged, and never the asker's concern."""

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        transaction.on_commit(partial(self.delay, *args, **kwargs), robust=True)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Publish the job, or raise within a second: a broker that is frozen answers only after its time-outs."""
        publish = partial(super().delay, *args, **kwargs)
        return publish() if self.app.conf.task_always_eager else _bounded(publish)


_hanging: threading.Thread | None = None


def _bounded(publish: Callable[[], Any]) -> Any:
    global _hanging  # noqa: PLW0603 - one a process: while it hangs, nobody else tries
    if _hanging is not None and _hanging.is_alive():
        raise BrokerSilent("The broker does not answer.")
    done: list[Any] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(publish())
        except Exception as error:  # raised again where it is awaited
            failed.append(error)

    thread = threading.Thread(target=run, name="publish", daemon=True)
    thread.start()
    thread.join(PUBLISH_WITHIN)
    if failed:
        raise failed[0]
    if not done:
        _hanging = thread
        raise BrokerSilent(f"The broker did not answer within {PUBLISH_WITHIN:g} s.")
    return done[0]


class IdleSweep(bootsteps.StartStopStep):
    """Every worker has its own clock for the sweep: a schedule that died only makes work later."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self.timer: Any = None
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:
        self.timer = parent.timer.call_repeatedly(settings.IDLE_SWEEP_SECONDS, self.hint, (parent.app,))

    def stop(self, parent: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    shutdown = stop

    @staticmethod
    def hint(app: Celery) -> None:
        try:
            app.tasks["email_service.send_tasks.jobs.sweep"].delay()
        except Exception as error:  # every broker has kinds of its own
            logger.warning("The sweep could not be hinted at: %s", error)


app = Celery("koomessage", task_cls=HintingTask)
app.config_from_object("koomessage.celery_config")
# Jobs live in `jobs.py`: a package called `tasks` would be a section, not a list of jobs.
app.autodiscover_tasks(related_name="jobs")
app.steps["consumer"].add(IdleSweep)
