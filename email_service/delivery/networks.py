"""Which addresses a stranger's DNS may make us connect to: the public Internet, and what an operator allows."""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def may_connect(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Say whether a connection may go there; judge it where it is made, for names change their addresses."""
    try:
        place: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    return is_public(place) or any(place.version == net.version and place in net for net in allowed)


def is_public(place: Address) -> bool:
    if isinstance(place, ipaddress.IPv4Address):
        return place.is_global and not place.is_multicast
    inner = _carried(place)
    if inner is not None:
        return is_public(inner)
    return place in _UNICAST and place.is_global


def _carried(place: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Answer the IPv4 address where packets for this one end, when it only carries one."""
    if place in _NAT64:
        return ipaddress.IPv4Address(int(place) & 0xFFFFFFFF)
    return place.ipv4_mapped or place.sixtofour
