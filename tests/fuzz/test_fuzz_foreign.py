"""Fuzz what reads configurations of other resolvers: something that can be sorted, or the documented error."""

from contextlib import suppress
from pathlib import Path

import pytest

from sinkhole.app.import_rules import sort_rules
from sinkhole.errors import ForeignFileError
from sinkhole.foreign.adguard import read_adguard
from sinkhole.foreign.blocky import read_blocky
from sinkhole.foreign.hosts import read_hosts_file
from sinkhole.foreign.pihole import read_pihole
from sinkhole.foreign.policy_zone import read_policy_zone
from sinkhole.protocol.rdata import records_from_text
from tests.foreign.builders import (
    ADGUARD,
    BLOCKY,
    HOSTS,
    TOML,
    ZONE,
    write_gravity,
    write_old_teleporter,
    write_teleporter,
    write_zip,
)
from tests.fuzz.mutator import mutations

COUNT, SECONDS = 1500, 4.0


def seeds_of(kind: str, folder: Path) -> list[bytes]:
    match kind:
        case "zip":
            return [write_teleporter(folder / "t.zip").read_bytes()]
        case "tar":
            return [write_old_teleporter(folder / "t.tar.gz").read_bytes()]
        case "database":
            return [write_gravity(folder / "g.db").read_bytes()]
    return [{"adguard": ADGUARD, "blocky": BLOCKY, "rpz": ZONE, "hosts": HOSTS}[kind].encode()]


READERS = {
    "zip": read_pihole, "tar": read_pihole, "database": read_pihole, "adguard": read_adguard, "blocky": read_blocky,
    "rpz": read_policy_zone, "hosts": read_hosts_file,
}  # fmt: skip


@pytest.mark.parametrize("kind", READERS)
def test_any_file_is_read_or_refused(kind, tmp_path):
    path = tmp_path / "file"
    read = 0
    for octets in mutations(seeds_of(kind, tmp_path), 1, count=COUNT, seconds=SECONDS):
        path.write_bytes(octets)
        with suppress(ForeignFileError):
            found = READERS[kind](path)
            sort_rules(found)
            for record in found.records:
                assert len(records_from_text(record.text)) == 1
            read += 1
    assert read > 0


def test_any_settings_of_pihole_are_read_or_refused(tmp_path):
    for octets in mutations([TOML.encode()], 2, count=COUNT, seconds=SECONDS):
        with suppress(ForeignFileError):
            read_pihole(write_zip(tmp_path / "t.zip", {"etc/pihole/pihole.toml": octets}))
