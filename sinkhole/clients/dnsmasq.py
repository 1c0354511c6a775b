"""The lease file of dnsmasq: one lease a line, those of DHCPv6 after the line of the server's own DUID.

`EXPIRY MAC ADDRESS HOST CLIENT-ID`, and for DHCPv6 `EXPIRY IAID ADDRESS HOST DUID`; `*` for what is not known, expiry 0
for never (dnsmasq(8), `--dhcp-leasefile`). The MAC of another kind of link has the kind before it: `06-aa:bb:…`.
"""

import re

from sinkhole.clients.lease import Lease, Leases, address_of, host_of, octets_of, seconds_of
from sinkhole.policy.member import mac_from_text

_FIELDS = 5
_is_iaid = re.compile(r"T?\d+").fullmatch


def parse_dnsmasq(text: str) -> Leases:
    """Read a lease file."""
    found: dict[str, Lease] = {}
    malformed = 0
    for line in text.splitlines():
        fields = line.split()
        if not fields or fields[0] == "duid":
            continue
        try:
            lease = _lease(fields)
        except ValueError:
            malformed += 1
            continue
        found[lease.address] = lease
    return Leases(found, malformed)


def _lease(fields: list[str]) -> Lease:
    if len(fields) != _FIELDS:
        raise ValueError(f"a lease has {_FIELDS} fields")
    expiry, link, address, host, client_id = fields
    seconds = seconds_of(expiry)
    mac = mac_from_text(link.partition("-")[2] if re.match(r"[0-9a-f]{2}-", link) else link)
    if mac is None and not _is_iaid(link) and "-" not in link:
        raise ValueError("neither a MAC address nor an IAID")
    octets = b"" if client_id == "*" else octets_of(client_id)
    return Lease(address_of(address), mac, octets, host_of(host), seconds or None)
