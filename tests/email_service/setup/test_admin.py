"""Operators configure transports and accounts in the admin; accounts wait for it."""

import pytest
from django.urls import reverse

from email_service.setup import services
from email_service.setup.models import EmailService, Transport
from iam.models import AuditEntry
from tests.factories import make_email_service, make_tenant, make_transport, make_user

pytestmark = pytest.mark.django_db
TRANSPORTS = "/admin/email_service/transport/"
SERVICES = "/admin/email_service/emailservice/"
RELAY = {
    "name": "main",
    "kind": "relay",
    "host": "relay.example",
    "port": "587",
    "security": "starttls",
    "username": "user",
    "password": "s3cret pass",
    "connections": "8",
}


def test_a_transport_is_saved_and_its_password_never_shown(as_operator):
    assert as_operator.post(f"{TRANSPORTS}add/", RELAY).status_code == 302

    transport = Transport.objects.get()
    assert transport.password == "s3cret pass"
    page = as_operator.get(f"{TRANSPORTS}{transport.pk}/change/").content.decode()
    assert "s3cret" not in page
    assert "s3cret" not in as_operator.get(TRANSPORTS).content.decode()


def test_an_empty_password_keeps_the_stored_one(as_operator):
    transport = make_transport(username="user", password="s3cret", security="tls")

    as_operator.post(f"{TRANSPORTS}{transport.pk}/change/", {**RELAY, "password": ""})

    transport.refresh_from_db()
    assert (transport.password, transport.port) == ("s3cret", 587)


def test_without_a_user_name_the_password_goes(as_operator):
    transport = make_transport(username="user", password="s3cret", security="tls")

    as_operator.post(f"{TRANSPORTS}{transport.pk}/change/", {**RELAY, "username": "", "password": ""})

    transport.refresh_from_db()
    assert transport.password == ""


@pytest.mark.parametrize(
    "change",
    [
        {"port": "0"},
        {"port": "65536"},
        {"host": "http://relay.example"},
        {"host": "two hosts"},
        {"connections": "0"},
        {"password": ""},
        {"security": "none"},
    ],
)
def test_odd_transports_are_refused(as_operator, change):
    answer = as_operator.post(f"{TRANSPORTS}add/", {**RELAY, **change})

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Transport.objects.exists()


def test_an_operator_configures_an_account_and_its_pages_open(as_operator, client):
    tenant = make_tenant()
    owner = make_user(tenant, is_main=True)
    client.force_login(owner, backend="iam.backends.StaffBackend")
    before = client.get(reverse("email:domain_list"), HTTP_HX_REQUEST="true").content.decode()
    assert "domain-list" not in before
    assert tenant.account in before

    fields = {"tenant": tenant.pk, "sensitive": "on", "transport": make_transport().pk, "in_doubt": "hold"}
    assert as_operator.post(f"{SERVICES}add/", fields).status_code == 302

    service = EmailService.objects.get(tenant=tenant)
    assert (service.sensitive, service.in_doubt) == (True, "hold")
    assert "domain-list" in client.get(reverse("email:domain_list"), HTTP_HX_REQUEST="true").content.decode()
    assert as_operator.get(SERVICES, {"q": tenant.account}).status_code == 200


def test_a_pause_needs_a_reason(as_operator, acme):
    service = EmailService.objects.get(tenant=acme)
    fields = {"transport": service.transport_id, "in_doubt": "resend", "paused": "on"}

    assert as_operator.post(f"{SERVICES}{service.pk}/change/", fields).status_code == 200
    assert (
        as_operator.post(f"{SERVICES}{service.pk}/change/", {**fields, "pause_reason": "Abuse"}).status_code
        == 302
    )

    service.refresh_from_db()
    assert (service.paused, service.pause_reason) == (True, "Abuse")


def test_tenants_do_not_reach_the_admin(as_owner):
    for url in (TRANSPORTS, SERVICES, f"{SERVICES}add/"):
        assert as_owner.get(url).status_code in (302, 403)


def test_the_default_transport_comes_from_the_settings_once(settings):
    settings.RELAY_HOST, settings.RELAY_PORT = "relay.example", 2526

    first = services.default_transport()
    settings.RELAY_PORT = 25

    assert (first.host, first.port) == ("relay.example", 2526)
    assert services.default_transport() == first


def test_configuring_again_keeps_the_pause():
    service = make_email_service(make_tenant())
    services.pause_sending(service, user=None, reason="Arrears")

    services.configure_email(tenant=service.tenant, user=None, transport=make_transport(), sensitive=True)

    service.refresh_from_db()
    assert (service.sensitive, service.paused, service.pause_reason) == (True, True, "Arrears")
    services.resume_sending(service, user=None)
    service.refresh_from_db()
    assert (service.paused, service.pause_reason) == (False, "")
    assert AuditEntry.objects.filter(action="kooMessage:emailService:pause").exists()


def test_direct_delivery_needs_a_name_and_connections_only(as_operator):
    page = as_operator.get(f"{TRANSPORTS}add/?kind=direct").content.decode()
    assert 'name="connections"' in page
    assert not any(
        f'name="{field}"' in page for field in ("host", "port", "security", "username", "password")
    )

    fields = {"name": "direct", "kind": "direct", "connections": "4"}
    assert as_operator.post(f"{TRANSPORTS}add/", fields).status_code == 302

    transport = Transport.objects.get()
    assert (transport.kind, transport.host, transport.password, transport.connections) == (
        "direct",
        "",
        "",
        4,
    )
    page = as_operator.get(f"{TRANSPORTS}{transport.pk}/change/").content.decode()
    assert 'name="connections"' in page
    assert not any(f'name="{field}"' in page for field in ("kind", "host", "security", "password"))


def test_a_relay_shows_its_host_and_leads_to_the_other_kind(as_operator):
    page = as_operator.get(f"{TRANSPORTS}add/").content.decode()

    assert 'name="host"' in page
    assert 'href="?kind=direct"' in page
    page = as_operator.get(f"{TRANSPORTS}add/?_popup=1").content.decode()
    assert 'href="?_popup=1&amp;kind=direct"' in page


@pytest.mark.parametrize(
    "change", [{"connections": "0"}, {"connections": "51"}, {"name": ""}, {"kind": "pigeon"}]
)
def test_odd_direct_transports_are_refused(as_operator, change):
    answer = as_operator.post(
        f"{TRANSPORTS}add/", {"name": "d", "kind": "direct", "connections": "4", **change}
    )

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Transport.objects.exists()


def test_a_transport_keeps_its_kind(as_operator):
    transport = make_transport()

    as_operator.post(f"{TRANSPORTS}{transport.pk}/change/", {**RELAY, "kind": "direct"})

    transport.refresh_from_db()
    assert (transport.kind, transport.host) == ("relay", "relay.example")
