"""Addresses that lists give as the answer for a name."""

import ipaddress


def address_rewrite(address: str, *, local: bool) -> str | None:
    """Return the rewrite that `address` asks for, or None where the row only blocks.

    It only blocks when the address leads nowhere (`0.0.0.0`, `::`, loopback), and in every remote list: those never
    choose an answer (R-F08).
    """
    value = ipaddress.ip_address(address)
    if not local or value.is_unspecified or value.is_loopback:
        return None
    return f"{'A' if value.version == 4 else 'AAAA'} {value}"
