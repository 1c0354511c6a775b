"""How often someone may do something: token buckets by key, of which a bounded number is kept (GCRA)."""

import ipaddress
from collections import OrderedDict

MOST_KEYS = 8192
"""Keys remembered; who has been quiet for longest is forgotten first, and a forgotten one has a full bucket."""


class Limit:
    """Let each key do `burst` things at once and `rate` a second after that.

    Args:
        rate: things a second; may be a fraction.
        burst: at least 1.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1.0 / rate
        self._tolerance = (burst - 0.99) * self._interval  # a hundredth more than exact, against rounding
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now: float) -> bool:
        """Take a token at `now` (monotonic seconds); return False where there is none."""
        full_at = max(self._full_at.get(key, 0.0), now)
        if full_at - now > self._tolerance:
            return False
        self._full_at[key] = full_at + self._interval
        self._full_at.move_to_end(key)
        if len(self._full_at) > MOST_KEYS:
            self._full_at.popitem(last=False)
        return True


def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address (also within IPv6), or the /64 of an IPv6 address.

    Raises:
        ValueError: it is no address.
    """
    client = ipaddress.ip_address(address)
    if client.version == 4:
        return str(client)
    return str(client.ipv4_mapped or ipaddress.ip_network((int(client) >> 64 << 64, 64)))
