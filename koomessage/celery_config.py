"""What Celery is set to: broker, queues, promises."""

from typing import Any

from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from koomessage.schedule import SCHEDULE

TRANSPORT_ALIASES["filesystem"] = "koomessage.embedded_broker:Transport"


def broker_options() -> dict[str, Any]:
    """Return what each kind of broker needs; a publish may never hold a web request for long."""
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        folder = settings.CELERY_BROKER_FOLDER
        for name in ("queue", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
            "store_processed": False,
        }
    if settings.CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
        return {"visibility_timeout": 3600, "socket_connect_timeout": 1, "socket_timeout": 30}
    return {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}


broker_url = settings.CELERY_BROKER_URL
broker_transport_options = broker_options()
broker_connection_timeout = 2
broker_connection_retry_on_startup = True
task_always_eager = settings.CELERY_TASK_ALWAYS_EAGER
task_ignore_result = True
task_publish_retry = False
task_acks_late = True
task_serializer = "json"
accept_content = ["json"]
worker_prefetch_multiplier = 1
worker_hijack_root_logger = False
task_default_queue = "console"
# Console jobs never wait behind sending, nor behind the reading or writing of a large file.
task_routes = {
    "email_service.send_tasks.jobs.deliver": {"queue": "sending"},
    "email_service.send_tasks.jobs.read_recipients": {"queue": "reading"},
    "email_service.downloads.jobs.make_export": {"queue": "reading"},
    "email_service.retention.jobs.purge_messages": {"queue": "reading"},
    "email_service.send_tasks.jobs.check_recipients": {"queue": "reading"},
    "email_service.send_tasks.jobs.remember_addressees": {"queue": "reading"},
}
timezone = "UTC"
beat_schedule_filename = str(settings.DATA_DIR / "schedule")
beat_schedule = SCHEDULE
