"""The blocked names as a response policy zone, for all servers that read one."""

from collections.abc import Sequence
from pathlib import Path


def write_zone(path: Path, names: Sequence[str]) -> Path:
    """Write names, each with all below it, as an RPZ that gives 0.0.0.0; return the path."""
    head = "$TTL 10\n@ SOA localhost. root.localhost. 1 3600 600 86400 10\n@ NS localhost.\n"
    path.write_text(head + "".join(f"{name} A 0.0.0.0\n*.{name} A 0.0.0.0\n" for name in names))
    return path
