"""How old the evidence for a domain is, and when that is too old to go by."""

import datetime as dt
from typing import Final

from sinkhole.policy.vendor import CatalogueDomain

STALE_AFTER_DAYS: Final = 180
"""Names change hands: whoever relies on one should know that nobody has looked for half a year."""


def age_in_days(domain: CatalogueDomain, today: dt.date) -> int:
    """Return how many days ago the newest evidence is from; for our own knowledge, when it was written down."""
    return (today - dt.date.fromisoformat(domain.last_confirmed or domain.first_seen)).days


def is_stale(domain: CatalogueDomain, today: dt.date) -> bool:
    """Return whether nobody has confirmed the domain for too long."""
    return age_in_days(domain, today) > STALE_AFTER_DAYS
