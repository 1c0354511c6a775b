"""The time zone of this machine, for what another program said in local time."""

from pathlib import Path


def local_zone() -> str:
    """Return the zone of this machine by its IANA name, UTC where it does not say."""
    try:
        target = str(Path("/etc/localtime").resolve(strict=True))
    except OSError:
        return "UTC"
    return target.partition("zoneinfo/")[2] or "UTC"
