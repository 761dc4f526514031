"""The demo's pages and servers on folders of the test's own."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.urls import clear_url_caches

from koomessage.demo import dns_server, services
from koomessage.demo.environment import free_port
from koomessage.demo.inbox import InboxWriter
from tests.koomessage.demo.mail_peer import MailPeer


@pytest.fixture
def zone_file(tmp_path: Path, settings: Any) -> Path:
    settings.DEMO_ZONE_FILE = tmp_path / "zone.json"
    return settings.DEMO_ZONE_FILE


@pytest.fixture
def inbox_folder(tmp_path: Path, settings: Any) -> Path:
    settings.DEMO_INBOX_DIR = tmp_path / "inbox"
    return settings.DEMO_INBOX_DIR


@pytest.fixture
def writer(inbox_folder: Path) -> Iterator[InboxWriter]:
    writer = InboxWriter(inbox_folder)
    yield writer
    writer.close()


@pytest.fixture
def demo(settings: Any, zone_file: Path, inbox_folder: Path) -> Iterator[None]:
    """The console with the demo's pages, as settings.DEMO would have it."""
    # Read before the switch is on, or every later test would have the demo's addresses.
    import_module("koomessage.urls")
    settings.DEMO = True
    settings.ROOT_URLCONF = "tests.koomessage.demo.urls"
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.fixture
def name_server(zone_file: Path, settings: Any) -> Iterator[tuple[str, int]]:
    """The demo's DNS server with the platform's own records."""
    port = free_port(15354, set())
    settings.DNS_NAMESERVERS = [("127.0.0.1", port)]
    services.publish_platform()
    servers = dns_server.start(zone_file, "127.0.0.1", port)
    yield "127.0.0.1", port
    for server in servers:
        server.stop()
        server.server.server_close()


@pytest.fixture
def mail_peer(writer: InboxWriter) -> Iterator[MailPeer]:
    peer = MailPeer(writer)
    yield peer
    peer.close()
