"""A backup holds all that answers depend on, and is put back whole or not at all (R-O08)."""

import io
import os
import stat
import tarfile
from contextlib import suppress

import pytest

from sinkhole.errors import StoreError
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.backup import backup, restore
from sinkhole.store.database import open_store
from sinkhole.store.policy_store import PolicyStore
from sinkhole.store.pseudonym import client_writer
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from tests.store.disk import limited_files
from tests.store.rows import batch, row


@pytest.fixture
def folder(tmp_path):
    """A data folder in use: its store is open, its last changes are in the journal only."""
    folder = tmp_path / "data"
    (folder / "feeds" / "doh" / "1").mkdir(parents=True)
    (folder / "feeds" / "doh" / "1" / "rules").write_text("example.org\n")
    (folder / "compiled").mkdir()
    (folder / "compiled" / "policy.json").write_text("{}")
    (folder / "lists").mkdir()
    (folder / "lists" / "own.txt").write_text("example.com\n")
    (folder / "vendors").mkdir()
    (folder / "vendors" / "novel.toml").write_text('id = "novel"\n')
    (folder / "local.records").write_text("nas.lan A 192.0.2.1\n")
    store = open_store(folder / "store.db")
    policy = PolicyStore(store, "admin")
    policy.put_group(Group("staff", ("192.0.2.0/24",)))
    policy.put(Statement(0, Subject.from_text("domain:example.org"), Action.BLOCK, "staff"))
    Recorder(store, client_writer("pseudonym", folder)).write(batch(row(), row(name="other.example.org", count=3)))
    yield folder
    store.close()


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("store.db")
    }


def told(folder):
    store = open_store(folder / "store.db", is_thorough=False)
    try:
        policy, reports = PolicyStore(store, "x"), Reports(store, 300)
        return policy.statements(), policy.groups(), reports.count_by("client"), list(reports.lines())
    finally:
        store.close()


def archive_of(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_restored_folder_says_the_same(folder, tmp_path):
    """R-O08: store, feeds, compiled policy, lists, vendor files and key, taken while a server has the store open."""
    size = backup(folder, tmp_path / "backup")
    assert size == (tmp_path / "backup").stat().st_size > 0
    restore(tmp_path / "backup", tmp_path / "new")
    assert content(tmp_path / "new") == content(folder)
    assert told(tmp_path / "new") == told(folder)
    client = client_writer("pseudonym", folder)("192.0.2.1")
    assert client_writer("pseudonym", tmp_path / "new")("192.0.2.1") == client


def test_all_is_for_the_owner_alone(folder, tmp_path):
    """R-D08: the archive, and what comes out of it."""
    backup(folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "new").rglob("*")}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_nothing_else_is_left_behind(folder, tmp_path):
    before = content(folder)
    backup(folder, tmp_path / "backup")
    assert content(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data"]


def test_backup_never_overwrites(folder, tmp_path):
    (tmp_path / "backup").write_text("precious")
    with pytest.raises(StoreError, match="never overwrites"):
        backup(folder, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "precious"


def test_folder_without_a_store_is_said(tmp_path):
    with pytest.raises(StoreError, match="no store to back up"):
        backup(tmp_path, tmp_path / "backup")


def test_target_that_cannot_be_written_is_said(folder, tmp_path):
    with pytest.raises(StoreError, match="the backup failed"):
        backup(folder, tmp_path / "nowhere" / "backup")


def test_full_disk_leaves_no_half_backup(folder, tmp_path):
    """R-D04, R-D07."""
    (folder / "lists" / "large").write_bytes(os.urandom(2_000_000))
    with limited_files(1_000_000), pytest.raises(StoreError, match="the backup failed"):
        backup(folder, tmp_path / "backup")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_links_come_back_as_files_and_pipes_are_left_out(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("example.net\n")
    (folder / "lists" / "link.txt").symlink_to(elsewhere)
    (folder / "lists" / "dead.txt").symlink_to(tmp_path / "nothing")
    os.link(folder / "lists" / "own.txt", folder / "lists" / "second-name.txt")
    os.mkfifo(folder / "lists" / "pipe")
    backup(folder, tmp_path / "backup")
    elsewhere.unlink()
    restore(tmp_path / "backup", tmp_path / "new")
    lists = tmp_path / "new" / "lists"
    assert sorted(path.name for path in lists.iterdir()) == ["link.txt", "own.txt", "second-name.txt"]
    assert (lists / "link.txt").read_text() == "example.net\n"
    assert (lists / "second-name.txt").read_text() == "example.com\n"


def test_folder_with_a_store_is_left_alone(folder, tmp_path):
    backup(folder, tmp_path / "backup")
    before = content(folder), told(folder)
    with pytest.raises(StoreError, match="already has a store"):
        restore(tmp_path / "backup", folder)
    assert (content(folder), told(folder)) == before


def test_what_is_in_the_way_moves_aside(folder, tmp_path):
    """A journal of the store that was there would be played into the restored one; old feeds are no longer known."""
    backup(folder, tmp_path / "backup")
    new = tmp_path / "new"
    (new / "feeds" / "old" / "1").mkdir(parents=True)
    (new / "feeds" / "old" / "1" / "rules").write_text("example.net\n")
    (new / "lists").mkdir()
    (new / "store.db-wal").write_bytes(b"journal of another store")
    restore(tmp_path / "backup", new)
    assert told(new) == told(folder)
    assert sorted(path.name for path in (new / "feeds").iterdir()) == ["doh"]
    (aside,) = new.glob("feeds.replaced-*")
    assert (aside / "old" / "1" / "rules").read_text() == "example.net\n"
    (journal,) = new.glob("store.db-wal.replaced-*")
    assert journal.read_bytes() == b"journal of another store"


def test_what_cannot_be_moved_is_undone(folder, tmp_path):
    """The folder is as it was: here a folder has the name of the key, which moves after feeds and lists."""
    backup(folder, tmp_path / "backup")
    new = tmp_path / "new"
    (new / "lists").mkdir(parents=True)
    (new / "lists" / "mine.txt").write_text("example.net\n")
    (new / "pseudonym.key").mkdir()
    with pytest.raises(StoreError, match="cannot be restored"):
        restore(tmp_path / "backup", new)
    assert sorted(path.name for path in new.iterdir()) == ["lists", "pseudonym.key"]
    assert content(new) == {"lists/mine.txt": b"example.net\n"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme": b"hello"}, "is no backup of Sinkhole"),
        ({"store.db": b"garbage" * 1000}, "its store is damaged"),
        ({"store.db/deeper": b""}, "is no backup of Sinkhole"),
        ({"feeds/../../escape": b"", "store.db": b""}, "cannot be restored"),
    ],
)
def test_file_that_is_no_backup_changes_nothing(tmp_path, files, message):
    archive_of(tmp_path / "backup", files)
    with pytest.raises(StoreError, match=message):
        restore(tmp_path / "backup", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "escape").exists()


def archive_with_list(folder, tmp_path, told):
    """A backup whose list says that of itself in an extended header (POSIX pax)."""
    backup(folder, tmp_path / "backup")
    with tarfile.open(tmp_path / "backup") as whole:
        data = whole.extractfile("store.db").read()
    with tarfile.open(tmp_path / "other", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, octets, headers in (("store.db", data, {}), ("lists/mine.txt", b"x", told)):
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(octets), headers
            archive.addfile(member, io.BytesIO(octets))
    return tmp_path / "other"


def test_file_of_holes_is_not_restored(folder, tmp_path):
    """R-O08: it would fill a disk."""
    told = {"GNU.sparse.map": "0,1,2999999999,0", "GNU.sparse.size": "3000000000"}
    source = archive_with_list(folder, tmp_path, told)
    with pytest.raises(StoreError, match=r"cannot be restored: 'lists/mine\.txt' is not as a backup holds it"):
        restore(source, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_file_of_less_than_nothing_is_not_restored_as_an_empty_one(folder, tmp_path):
    """R-O08: some versions of Python take such a header for the end of the archive."""
    source = archive_with_list(folder, tmp_path, {"size": "-5"})
    with suppress(StoreError):
        restore(source, tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {"store.db"}


def test_names_that_no_backup_has_stay_packed(folder, tmp_path):
    backup(folder, tmp_path / "backup")
    with tarfile.open(tmp_path / "backup") as archive:
        data = archive.extractfile("store.db").read()
    archive_of(tmp_path / "other", {"store.db": data, "/etc/absolute": b"", "lock": b"", "control.sock": b""})
    restore(tmp_path / "other", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["store.db"]


def test_newer_store_is_not_restored(folder, tmp_path):
    """R-D05, R-O07."""
    store = open_store(folder / "store.db")
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    backup(folder, tmp_path / "backup")
    with pytest.raises(StoreError, match=r"its store cannot be used: .*newer version"):
        restore(tmp_path / "backup", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_backup_with_a_time_that_no_file_has_is_not_restored(folder, tmp_path):
    """A damaged octet of the compressed data may leave a header that fits its checksum, with a time far away."""
    member = tarfile.TarInfo("store.db")
    member.mtime = 2**70
    with tarfile.open(tmp_path / "backup", "w:gz", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b""))
    with pytest.raises(StoreError, match="cannot be restored"):
        restore(tmp_path / "backup", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("place", [0, 10, 200, -200, -6, -1])
def test_backup_with_a_changed_octet_or_cut_short_is_not_restored(folder, tmp_path, place):
    """Also where only the checksum at the very end knows."""
    backup(folder, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    changed = bytearray(whole)
    changed[place] ^= 0x10
    for broken in (bytes(changed), whole[:place]):
        (tmp_path / "broken").write_bytes(broken)
        with pytest.raises(StoreError, match=r"cannot be restored|is no backup"):
            restore(tmp_path / "broken", tmp_path / "new")
        assert list((tmp_path / "new").iterdir()) == []
