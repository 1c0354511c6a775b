"""Local records in a file of the data folder, `local.records`, beside those of the setting `records`."""

import os
from pathlib import Path

from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, FormError
from sinkhole.protocol.rdata import records_from_text

RECORDS = "local.records"
MAX_OCTETS = 1024 * 1024
"""Octets of the file; it is handed to each process with the settings."""


def records_path(folder: Path) -> Path:
    """Return where the file of a data folder is."""
    return folder / RECORDS


def read_records(folder: Path) -> tuple[str, ...]:
    """Return the lines of the file that hold a record; none where there is no file.

    Raises:
        ConfigError: it cannot be read, or with every line that is wrong.
    """
    text = records_text(folder)
    found: list[str] = []
    mistakes = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        try:
            if records_from_text(line):
                found.append(line.strip())
        except FormError as error:
            mistakes.append(f"{RECORDS}: line {number}: {error}")
    if mistakes:
        raise ConfigError(*mistakes)
    return tuple(found)


def records_text(folder: Path) -> str:
    """Return the text of the file, empty where there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    path = records_path(folder)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            octets = file.read(MAX_OCTETS + 1)
        if len(octets) > MAX_OCTETS:
            raise ConfigError(f"{RECORDS}: has more than {MAX_OCTETS} octets")
        return octets.decode()
    except (FileNotFoundError, NotADirectoryError):  # of a folder that is none the start says more
        return ""
    except OSError as error:
        raise ConfigError(f"{RECORDS}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{RECORDS}: is not UTF-8 text (octet {error.start})") from error


def with_records(settings: Settings) -> Settings:
    """Return the settings with the records of the file behind their own.

    Raises:
        ConfigError: as in `read_records`.
    """
    found = read_records(settings.server.data_dir)
    return settings.model_copy(update={"records": (*settings.records, *found)}) if found else settings
