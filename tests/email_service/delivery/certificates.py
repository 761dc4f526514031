"""Certificates as mail servers have them: good, expired, self-signed, of another name."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """Signs certificates; `file` is what trusts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name("Authority")
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = _certificate(self.name, self.name, self.key, self.key, (basic, True))
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str, *, is_expired: bool = False, is_own: bool = False) -> ssl.SSLContext:
        """Return what a server of that name would use; `is_own`: signed by nobody but itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        issuer, signer = (subject, key) if is_own else (self.name, self.key)
        names = (x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        end = -DAY if is_expired else 2 * DAY
        certificate = _certificate(subject, issuer, key, signer, names, end=end)
        path = self.folder / f"{name}.{is_expired}.{is_own}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: tuple[x509.ExtensionType, bool],
    *,
    end: timedelta = 2 * DAY,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + end)
        .add_extension(*extension)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
