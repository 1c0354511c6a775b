"""Domains of this network: what stubs append to a name that they were not answered, and zones that only it has."""

from collections.abc import Iterator
from pathlib import Path

from sinkhole.app.records_file import read_records
from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, FormError
from sinkhole.policy.place import is_too_wide
from sinkhole.protocol.names import fold, labels_of, name_from_text, name_to_text
from sinkhole.protocol.rdata import records_from_text
from sinkhole.upstream.system import RESOLV_CONF, search_domains

_STAR = b"\x01*"


def own_suffixes(settings: Settings, resolv_conf: Path = RESOLV_CONF) -> tuple[str, ...]:
    """Return the domains, in order: of the settings, of the system, of local records (of the file too) and of zones.

    What cannot be read is left out, and so is what so many share that it is nobody's own, such as `com`.
    """
    texts = [*settings.policy.search_suffixes, *search_domains(resolv_conf)]
    texts += [zone.zone for zone in settings.upstream.zones]
    # A short command has the settings without the file; both must make the same policy.
    found = {*_names(texts), *_owners(settings.records), *_owners(_records_of_file(settings))}
    return tuple(sorted(name_to_text(name) for name in found if not is_too_wide(labels_of(name))))


def _records_of_file(settings: Settings) -> tuple[str, ...]:
    try:
        return read_records(settings.server.data_dir)
    except ConfigError:
        return ()  # the server does not start with it, and says why


def suffix_mistake(text: str) -> str | None:
    """Say why a text is no search suffix, or return None."""
    try:
        name = fold(name_from_text(text))
    except FormError as error:
        return str(error)
    return f"too wide: names right below {text} have many owners" if is_too_wide(labels_of(name)) else None


def _names(texts: list[str]) -> Iterator[bytes]:
    for text in texts:
        try:
            yield fold(name_from_text(text))
        except FormError:
            continue


def _owners(lines: tuple[str, ...]) -> Iterator[bytes]:
    for line in lines:
        try:
            yield from (fold(record.owner).removeprefix(_STAR) for record in records_from_text(line))
        except FormError:
            continue
