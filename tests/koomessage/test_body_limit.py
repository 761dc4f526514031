"""A body larger than the largest form is refused in words, whatever it says of itself (F-55)."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from email_service.send_tasks.models import Task
from email_service.send_tasks.models_check import RecipientCheck

FRAGMENT = {"HTTP_HX_REQUEST": "true"}
MB = 2**20


@pytest.fixture
def limit(settings: Any) -> int:
    settings.MAX_REQUEST_MB = 1
    return MB


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
def test_one_byte_too_many_is_refused_before_it_is_looked_at(
    as_owner: Client, limit: int, headers: dict[str, str]
):
    address = reverse("email:task_add")

    refused = as_owner.post(address, b"x" * (limit + 1), content_type="application/octet-stream", **headers)
    taken = as_owner.post(address, b"x" * limit, content_type="application/octet-stream", **headers)

    assert refused.status_code == 413
    assert "1 MB" in refused.content.decode()
    assert taken.status_code == 200, "an empty form, as far as the form can see"
    assert not Task.objects.exists() and not RecipientCheck.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("said", "status"), [("9" * 30, 413), ("-1", 400)])
def test_an_odd_length_is_no_way_around(as_owner: Client, limit: int, said: str, status: int):
    answer = as_owner.post(reverse("email:task_add"), {"name": "x"}, CONTENT_LENGTH=said)

    assert answer.status_code == status
    assert not Task.objects.exists()


@pytest.fixture
def sent(live_server: Any) -> Iterator[Any]:
    """Send bytes as they are and return what the server answers to them."""
    host, _, port = urlsplit(live_server.url).netloc.partition(":")

    def send(head: str, body: bytes) -> bytes:
        with socket.create_connection((host, int(port)), 10) as line:
            line.settimeout(10)
            line.sendall(head.encode() + b"\r\n\r\n" + body)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))

    yield send


@pytest.mark.django_db(transaction=True)
def test_a_length_that_lies_cuts_the_body_off_and_nothing_is_stored(sent: Any, limit: int):
    head = "POST /login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close"
    head += "\r\nContent-Type: multipart/form-data; boundary=b"
    part = b"--b\r\nContent-Disposition: form-data; name=file; filename=a.xlsx\r\n\r\n" + b"x" * 3 * MB

    too_long = sent(f"{head}\r\nContent-Length: {len(part)}", part)
    said_less = sent(f"{head}\r\nContent-Length: 100", part[:100])
    said_more = sent(f"{head}\r\nContent-Length: {limit}", part[:1000])

    assert too_long.startswith(b"HTTP/1.1 413 ")
    assert said_less.split(b" ")[1] in (b"400", b"403")
    assert said_more.split(b" ")[1] in (b"400", b"403")
