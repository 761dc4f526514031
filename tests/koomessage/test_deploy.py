"""The units of deploy/ and the page on several machines agree with the code."""

import re

import pytest
from django.conf import settings

from koomessage.celery import app
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "production.md").read_text()
UNITS = sorted((ROOT / "deploy").glob("*.service"))


def queues() -> set[str]:
    routed = {route["queue"] for route in app.conf.task_routes.values()}
    return routed | {app.conf.task_default_queue}


def test_every_queue_has_a_worker_in_both_descriptions():
    readme = (ROOT / "README.md").read_text()

    for queue in queues():
        assert f"koomessage-worker@{queue}" in PAGE
        assert f"worker -Q {queue} " in readme


def test_what_people_wait_for_is_never_routed_to_the_workers_that_send():
    app.loader.import_default_modules()

    sending = [name for name in app.tasks if app.amqp.router.route({}, name)["queue"].name == "sending"]

    assert sending == ["email_service.send_tasks.jobs.deliver"]


def test_variables_of_the_page_are_those_of_the_example():
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    named = set(re.findall(r"^([A-Z][A-Z_]+)=", PAGE, re.MULTILINE))

    assert len(named) > 20
    assert named <= example


def test_files_the_page_names_are_there():
    for name in re.findall(r"(?:requirements|tests|deploy)/[\w/.@-]+\w", PAGE):
        assert (ROOT / name).exists() or name == "deploy/*.service", name


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_stops_its_main_process_alone_and_leaves_it_the_time(unit):
    text = unit.read_text()

    assert "KillMode=mixed" in text
    assert "Restart=always" in text
    assert "NoNewPrivileges=yes" in text
    if " worker " in text:
        patience = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
        assert patience is not None
        assert int(patience[1]) >= settings.SHUTDOWN_GRACE + 15
