"""An installation as in production, an account of it, and the mails it sends."""

from collections.abc import Iterator
from typing import Any

import pytest

from email_service.send_tasks import dispatch, jobs
from iam.models import Tenant
from tests.dns_server import Zone
from tests.dns_server import serving as serving_zone
from tests.email_service.send_tasks.sending import make_sending_tenant
from tests.factories_domains import make_address, make_domain
from tests.verifiers.inbound import Arrived, Inbound
from tests.verifiers.inbound import serving as serving_mail
from tests.verifiers.world import BOUNCE_HOST, PLATFORM, SENDER_DOMAIN, publish, send_public_templates


@pytest.fixture(autouse=True)
def _platform(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUBLIC_URL = f"https://console.{PLATFORM}"
    settings.PLATFORM_BOUNCE_HOST = BOUNCE_HOST
    settings.PLATFORM_MX = f"mx.{PLATFORM}"
    settings.PLATFORM_SPF_INCLUDE = f"spf.{PLATFORM}"
    settings.PLATFORM_DMARC_HOST = f"_dmarc.{PLATFORM}"
    settings.PLATFORM_TRACKING_HOST = f"track.{PLATFORM}"
    monkeypatch.setattr(jobs, "hint", lambda job, *arguments: None)


@pytest.fixture(scope="session")
def zone() -> Iterator[Zone]:
    with serving_zone() as running:
        yield running


@pytest.fixture
def inbound(transactional_db: None) -> Iterator[Inbound]:
    """The recipients' server; the worker's station is closed before the tables are emptied."""
    with serving_mail() as running:
        yield running
        dispatch.shut_down(grace=1.0)


@pytest.fixture
def tenant(inbound: Inbound, zone: Zone) -> Tenant:
    """An account whose domain is published and whose mail goes to the recipients' server."""
    tenant = make_sending_tenant(inbound)
    domain = make_domain(tenant, verified=True, name=SENDER_DOMAIN)
    make_address(domain, prefix="service", alias="Example Ltd")
    zone.records.clear()
    publish(zone, domain)
    return tenant


@pytest.fixture(scope="session")
def _sent() -> dict[str, Arrived]:
    return {}


@pytest.fixture
def mails(_sent: dict[str, Arrived], request: pytest.FixtureRequest) -> dict[str, Arrived]:
    """Every public template as it arrived, by its file: sent once, since all judges may read the same mails."""
    if not _sent:
        tenant, inbound = request.getfixturevalue("tenant"), request.getfixturevalue("inbound")
        _sent.update(send_public_templates(tenant, inbound))
    return _sent
