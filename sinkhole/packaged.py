"""Where the files that come with Sinkhole are: at the top of a checkout, or inside the package of a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def packaged_path(name: str) -> Path:
    """Return the folder `name` (`blocklists`, `migrations`) of this installation.

    Raises:
        FileNotFoundError: neither the wheel's nor the checkout's folder exists.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"this installation has no {name} folder")
