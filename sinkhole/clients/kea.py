"""The lease file of Kea (memfile, CSV): a log of rows under a header, of which the last one of an address counts.

Columns go by their names, since versions add some. `state` 0 is a lease; a lifetime of 0 says that it was deleted
(Kea Administrator Reference Manual, "memfile").
"""

import csv

from sinkhole.clients.lease import Lease, Leases, address_of, host_of, octets_of, seconds_of
from sinkhole.policy.member import mac_from_text

HEADER = "address,"
_FOREVER = 0xFFFFFFFF
_ASSIGNED = "0"
_DELEGATION = "2"
"""A prefix that is delegated: no address of a client."""


def parse_kea(text: str) -> Leases:
    """Read a lease file of DHCPv4 or DHCPv6; several of them after each other are read as one log."""
    found: dict[str, Lease] = {}
    malformed = 0
    header: list[str] = []
    for line in text.splitlines():
        if line.startswith(HEADER):
            header = line.split(",")
            continue
        if not line.strip():
            continue
        try:
            address, lease = _row(dict(zip(header, next(csv.reader([line])), strict=False)))
        except (ValueError, KeyError, csv.Error):
            malformed += 1
            continue
        if lease is None:
            found.pop(address, None)
        else:
            found[address] = lease
    return Leases(found, malformed)


def _row(row: dict[str, str]) -> tuple[str, Lease | None]:
    address = address_of(row["address"])
    lifetime, expires = int(row["valid_lifetime"]), seconds_of(row["expire"])
    client_id = octets_of(row.get("client_id") or row.get("duid") or "")
    mac, host = mac_from_text(row.get("hwaddr") or ""), host_of((row.get("hostname") or "").replace("&#x2c", ","))
    is_none = lifetime == 0 or row.get("state", _ASSIGNED) != _ASSIGNED or row.get("lease_type") == _DELEGATION
    lease = Lease(address, mac, client_id, host, None if lifetime == _FOREVER else expires)
    return address, None if is_none else lease
