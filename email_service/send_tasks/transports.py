"""From an operator's transport to what the engine sends through."""

from django.conf import settings

from email_service.delivery.routing import Direct, Relay
from email_service.domains.lookups import configured_resolvers
from email_service.setup.models import Transport


def way_of(transport: Transport) -> Relay | Direct:
    """Translate the row and the settings; equal rows are equal ways, and share an engine."""
    if transport.kind == Transport.Kind.DIRECT:
        return Direct(
            nameservers=tuple(configured_resolvers()),
            dns_timeout=settings.DNS_TIMEOUT_SECONDS,
            port=settings.DIRECT_PORT,
            allowed_networks=tuple(settings.DIRECT_ALLOWED_NETWORKS),
            connections=transport.connections,
        )
    return Relay(
        host=transport.host,
        port=transport.port,
        security=transport.security,  # type: ignore[arg-type]
        username=transport.username,
        password=transport.password,
        connections=transport.connections,
    )
