"""Archives of strangers: bounded, read by name, and never unpacked by path."""

import io
import tarfile
import zipfile
from random import Random

import pytest

from sinkhole.errors import ForeignFileError
from sinkhole.foreign import archive
from sinkhole.foreign.archive import read_tar, read_zip
from tests.foreign.builders import write_tar, write_zip

WANTED = frozenset({"a", "b"})


def test_zip_gives_what_is_wanted_and_names_the_rest(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"a": b"one", "folder/c": b"two", "folder/": b""})
    assert read_zip(path, WANTED) == ({"a": b"one"}, ["folder/c"])


def test_tar_gives_what_is_wanted_and_names_the_rest(tmp_path):
    path = write_tar(tmp_path / "x.tar.gz", {"a": b"one", "folder/b": b"two", "c": b""})
    assert read_tar(path, {"a": "a", "b": "b"}) == ({"a": b"one", "b": b"two"}, ["c"])


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "x/../../a", "..\\a", "\\a"])
def test_member_outside_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(ForeignFileError, match="would be outside"):
        read_zip(write_zip(tmp_path / "x.zip", {name: b"x"}), WANTED)
    with pytest.raises(ForeignFileError, match="would be outside"):
        read_tar(write_tar(tmp_path / "x.tar.gz", {name: b"x"}), {"a": "a"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.tar.gz", "x.zip"]


def test_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 100_000)
    zeros = bytes(5_000_000)
    with pytest.raises(ForeignFileError, match="a: more than 100000 octets after decompression"):
        read_zip(write_zip(tmp_path / "x.zip", {"a": zeros}), WANTED)
    with pytest.raises(ForeignFileError, match="more than 100000 octets after decompression"):
        read_tar(write_tar(tmp_path / "x.tar.gz", {"c": zeros}), {"a": "a"})


def test_bound_is_for_all_members_together(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 100_000)
    path = write_zip(tmp_path / "x.zip", {"a": bytes(60_000), "b": bytes(60_000)})
    with pytest.raises(ForeignFileError, match="b: more than"):
        read_zip(path, WANTED)


def test_archive_that_is_too_large_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_ARCHIVE", 50)
    with pytest.raises(ForeignFileError, match="octets; at most 50 are read"):
        read_zip(write_zip(tmp_path / "x.zip", {"a": b"1"}), WANTED)
    with pytest.raises(ForeignFileError, match="octets; at most 50 are read"):
        read_tar(write_tar(tmp_path / "x.tar.gz", {"a": b"1"}), {"a": "a"})


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    members = {f"m{n}": b"" for n in range(4)}
    with pytest.raises(ForeignFileError, match="has 4 members"):
        read_zip(write_zip(tmp_path / "x.zip", members), WANTED)
    with pytest.raises(ForeignFileError, match="at most 3 members"):
        read_tar(write_tar(tmp_path / "x.tar.gz", members), {"a": "a"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_member_that_is_there_twice(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", "1")
        file.writestr("a", "2")
    with pytest.raises(ForeignFileError, match="has a twice"):
        read_zip(path, WANTED)


def test_encrypted_member(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"a": b"secret"})
    octets = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        octets[octets.index(sign) + offset] |= 1
    path.write_bytes(octets)
    with pytest.raises(ForeignFileError, match="a is encrypted; export it without a password"):
        read_zip(path, WANTED)


def test_link_in_a_tar_is_not_followed(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo("a")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(info)
        info = tarfile.TarInfo("b")
        info.size = 3
        file.addfile(info, io.BytesIO(b"abc"))
    assert read_tar(path, {"a": "a", "b": "b"}) == ({"b": b"abc"}, ["a"])


@pytest.mark.parametrize("cut", [10, 60, 110])
def test_broken_archive(tmp_path, cut):
    whole = write_zip(tmp_path / "x.zip", {"a": Random(2).randbytes(300)}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:cut])
    with pytest.raises(ForeignFileError, match="is a zip archive that is broken"):
        read_zip(tmp_path / "cut.zip", WANTED)
    whole = write_tar(tmp_path / "x.tar.gz", {"a": Random(1).randbytes(9000)}).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[:cut])
    with pytest.raises(ForeignFileError, match=r"is a tar.gz archive that is broken"):
        read_tar(tmp_path / "cut.tar.gz", {"a": "a"})
