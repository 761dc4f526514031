"""A platform at example.net that sends for shop.example.com, as the mail server of example.org meets it."""

from email.utils import format_datetime
from io import StringIO

import dns.resolver
from django.core.management import call_command
from django.utils import timezone, translation

from email_service.domains.models import Domain
from email_service.mail_templates.catalogue import built_in
from email_service.mail_templates.models import Template
from email_service.mail_templates.samples import sample_values
from email_service.send_tasks import recipients
from email_service.send_tasks.models import Task
from iam.models import Tenant
from tests.dns_server import Zone
from tests.email_service.send_tasks.sending import deliver_all, sender_of, sheet, submit
from tests.verifiers.inbound import Arrived, Inbound

PLATFORM = "example.net"
BOUNCE_HOST = f"bounce.{PLATFORM}"
SENDER_DOMAIN = "shop.example.com"
# Of the network for benchmarks (RFC 2544): those for documentation count as forged in Received.
SENDING_IP, STRANGERS_IP = "198.18.0.25", "198.18.7.7"
RECEIVER, RECEIVING_IP = "mx.example.org", "203.0.113.5"
LANGUAGES = {"zh": ("zh-hans", "示例科技"), "en": ("en", "Example Ltd")}


def publish(zone: Zone, domain: Domain) -> None:
    """Publish what the account was told to publish, and what the README asks of the platform."""
    zone.publish(domain)
    zone.add(f"spf.{PLATFORM}", "TXT", f"v=spf1 ip4:{SENDING_IP} -all")
    zone.add(BOUNCE_HOST, "TXT", f"v=spf1 include:spf.{PLATFORM} -all").add(BOUNCE_HOST, "A", SENDING_IP)
    zone.add(BOUNCE_HOST, "MX", (10, f"mx.{PLATFORM}")).add(f"mx.{PLATFORM}", "A", SENDING_IP)
    zone.add(f"_dmarc.{PLATFORM}", "TXT", "v=DMARC1; p=reject; adkim=s; aspf=s")
    zone.add(".".join([*reversed(SENDING_IP.split(".")), "in-addr", "arpa"]), "PTR", BOUNCE_HOST)


def look_up(zone: Zone, name: str) -> bytes | None:
    """Ask the zone for a TXT record, as a verifier does."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], zone.port
    try:
        answer = resolver.resolve(name, "TXT", lifetime=5)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    return b"".join(answer[0].strings)


def send_public_templates(tenant: Tenant, inbound: Inbound) -> dict[str, Arrived]:
    """Send each public template to a reader of its own with its sample's values; answer by the template's file."""
    call_command("load_public_templates", stdout=StringIO())
    files = {}
    for number, entry in enumerate(built_in()):
        language, alias = LANGUAGES[entry.file.split(".")[1]]
        template = Template.objects.public().select_related("version").get(code=entry.code)
        reader = f"li.na.{number}@example.org"
        files[reader] = entry.file
        address = sender_of(tenant)
        address.alias = alias
        with translation.override(language):
            values = {name: str(value) for name, value in sample_values(template.version.parameters).items()}
        task = submit(
            tenant,
            template=template,
            address=address,
            subject=entry.title,
            source=Task.Source.FILE,
            file=sheet(("email", *values), (reader, *values.values())),
        )
        assert recipients.read(task.pk)
    deliver_all()
    return {files[mail.recipient]: mail for mail in inbound.arrived}


def as_stored(mail: Arrived, *, ip: str = SENDING_IP) -> bytes:
    """The mail as a spam filter sees it behind the receiving server, which notes whom it had it from."""
    noted = (
        f"Return-Path: <{mail.sender}>\n"
        f"Received: from {mail.helo} ({mail.helo} [{ip}])\n"
        f"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
        f"\tby {RECEIVER} (Postfix) with ESMTPS id 4XyZ8k2nQbz9s1\n"
        f"\tfor <{mail.recipient}>; {format_datetime(timezone.now())}\n"
    )
    return noted.encode() + mail.content.replace(b"\r\n", b"\n")
