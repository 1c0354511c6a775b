"""Make texts of the network harmless, and write times as the formats want them."""

from datetime import UTC, datetime


def visible(text: str) -> str:
    """Return text with control characters, line breaks and direction marks escaped: one line, whatever was in it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def utc_text(seconds: int) -> str:
    """Return epoch seconds as RFC 3339 says, in UTC: `2026-01-31T12:00:00Z`; what no calendar holds is 1970."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
