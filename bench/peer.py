"""django-post_office as it comes, one process: `.venv-bench/bin/python -m bench.peer` (DATABASE_URL, SINK_PORT).

migrate → {}; queue COUNT → {}; send → timed; prove → {"sent": …}
"""

import logging
import os
import tempfile
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

from bench.body import HTML, PARAMETERS, SUBJECT, values_of
from bench.sides import obey, timed


def database() -> dict[str, Any]:
    address = os.environ["DATABASE_URL"]
    if address.startswith("sqlite:///"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": address.removeprefix("sqlite:///")}
    parts = urlsplit(address)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname,
        "PORT": parts.port or 5432,
    }


settings.configure(
    SECRET_KEY="for-the-bench-only",
    DATABASES={"default": database()},
    INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    EMAIL_BACKEND="post_office.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=int(os.environ["SINK_PORT"]),
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    POST_OFFICE={"LOCK_FILE_NAME": f"{tempfile.gettempdir()}/bench_post_office_{os.getpid()}"},
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from post_office import mail  # noqa: E402
from post_office.models import STATUS, Email, EmailTemplate  # noqa: E402


def migrate() -> dict[str, Any]:
    call_command("migrate", verbosity=0, interactive=False)
    EmailTemplate.objects.create(name="order", subject=SUBJECT, html_content=HTML, content=os.environ["TEXT"])
    return {}


def queue(count: str) -> dict[str, Any]:
    """Queue mails that are rendered when they are sent, as ours are."""
    mail.send_many(
        [
            {
                "recipients": [f"user{number}@example.com"],
                "sender": "news@mail.example",
                "template": "order",
                "context": dict(zip(PARAMETERS, values_of(number), strict=True)),
                "render_on_delivery": True,
            }
            for number in range(int(count))
        ]
    )
    return {}


def send() -> dict[str, float]:
    return timed(mail.send_queued_mail_until_done)


def prove() -> dict[str, Any]:
    return {"sent": Email.objects.filter(status=STATUS.sent).count()}


if __name__ == "__main__":
    logging.disable(logging.ERROR)  # it would tell of every batch
    obey({"migrate": migrate, "queue": queue, "send": send, "prove": prove})
