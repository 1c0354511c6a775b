"""Local records in the data folder: read with the settings, and their mistakes told with their lines."""

import os

import pytest

from sinkhole.app.records_file import MAX_OCTETS, RECORDS, read_records, with_records
from sinkhole.config.load import load_settings
from sinkhole.errors import ConfigError


def settings_of(folder):
    return load_settings(None, {}, {"server.data_dir": folder, "records": ["a.lan A 192.0.2.1"]})


def test_records_follow_those_of_the_settings(tmp_path):
    (tmp_path / RECORDS).write_text("# a comment\n\n; another\n  b.lan 60 A 192.0.2.2  \n*.c.lan CNAME b.lan ; why\n")
    assert with_records(settings_of(tmp_path)).records == (
        "a.lan A 192.0.2.1",
        "b.lan 60 A 192.0.2.2",
        "*.c.lan CNAME b.lan ; why",
    )


def test_no_file_is_no_record(tmp_path):
    settings = settings_of(tmp_path)
    assert with_records(settings) is settings
    (tmp_path / RECORDS).write_text("")
    assert read_records(tmp_path) == ()


def test_all_mistakes_come_with_their_lines(tmp_path):
    (tmp_path / RECORDS).write_text("good.lan A 192.0.2.1\nbad\n\nx.lan A nonsense\n")
    with pytest.raises(ConfigError) as error:
        read_records(tmp_path)
    assert [mistake.partition(": record")[0] for mistake in error.value.mistakes] == [
        "local.records: line 2",
        "local.records: line 4",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff", "is not UTF-8 text"), (b"#" * (MAX_OCTETS + 1), f"has more than {MAX_OCTETS} octets")],
)
def test_file_that_is_no_use(tmp_path, content, said):
    (tmp_path / RECORDS).write_bytes(content)
    with pytest.raises(ConfigError, match=f"local.records: {said}"):
        read_records(tmp_path)


def test_folder_and_pipe_do_not_hang(tmp_path):
    (tmp_path / RECORDS).mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_records(tmp_path)
    (tmp_path / RECORDS).rmdir()
    os.mkfifo(tmp_path / RECORDS)
    assert read_records(tmp_path) == ()
