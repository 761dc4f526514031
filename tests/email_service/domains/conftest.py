from collections.abc import Iterator
from typing import Any

import pytest

from tests.dns_server import Zone, serving


@pytest.fixture
def zone(settings: Any) -> Iterator[Zone]:
    """A real name server, and the only one that is asked."""
    with serving() as zone:
        settings.DNS_NAMESERVERS = [("127.0.0.1", zone.port)]
        settings.DNS_TIMEOUT_SECONDS = 1.0
        yield zone
