"""A scripted SMTP server by hand: to see what the engine makes of a server that does not behave."""

import json
import signal
import ssl
import tempfile
import threading
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management.base import BaseCommand, CommandError

from koomessage.console.smtp_peer import Peer
from koomessage.console.smtp_script import BadScript, read_script


class Command(BaseCommand):
    help = (
        "Run an SMTP server that accepts, delays, greylists, refuses, throttles, or cuts connections, as a JSON "
        "file says (docs/smtp_peer.md), until SIGINT or SIGTERM; then print one line of JSON. What it accepts is "
        "in the log, message-id and recipient, before the answer goes out."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--script", type=Path, required=True, help="what to do, e.g. docs/smtp_peer.json")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=2526, help="0: a free one (default: 2526)")
        parser.add_argument("--log", type=Path, default=Path("received.log"), help="default: received.log")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            script = read_script(options["script"])
        except BadScript as problem:
            raise CommandError(str(problem)) from None
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        peer = Peer(
            options["log"],
            script,
            features=script.features,
            tls=_self_signed() if script.has_starttls else None,
            host=options["host"],
            port=options["port"],
            keeps_mails=False,
        )
        try:
            with peer:
                self.stdout.write(f"Listening on {peer.host}:{peer.port}; log: {peer.log}")
                self.stdout.flush()
                stopped.wait()
        except OSError as error:
            raise CommandError(f"Nothing can listen on {peer.host}:{peer.port}: {error}") from None
        met = {f"{number} {rule.at} {rule.do}": rule.met for number, rule in enumerate(script.rules, start=1)}
        summary = {"connections": peer.connections, "dots": peer.dots, "accepted": peer.kept, "rules": met}
        self.stdout.write(json.dumps(summary))


def _self_signed() -> ssl.SSLContext:
    """Make a certificate that nobody vouches for, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context
