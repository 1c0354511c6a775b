"""The table of who is at which address, as workers read it."""

import stat

import pytest

from sinkhole.clients.table import NAME, TableError, identity_of_row, read_table, renew_table, stamp_of, write_table
from sinkhole.policy.identity import Identity

WHO = {"192.0.2.7": Identity("aa:bb:cc:dd:ee:ff", ("pc7.lab.example",), ("X",)), "2001:db8::7": Identity(ids=("Büro",))}


def test_table_is_read_as_it_was_written(tmp_path):
    write_table(tmp_path, WHO)
    assert {address: identity_of_row(row) for address, row in read_table(tmp_path).items()} == WHO
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_no_table_is_an_empty_one(tmp_path):
    assert read_table(tmp_path) == {}
    assert stamp_of(tmp_path) == (0, 0, 0.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "clients": {"a": []}}', "\xff"])
def test_damaged_table_is_an_error(tmp_path, text):
    (tmp_path / NAME).write_text(text, encoding="latin-1")
    with pytest.raises(TableError, match=NAME):
        read_table(tmp_path)


def test_renewed_table_has_another_stamp(tmp_path):
    write_table(tmp_path, WHO)
    before = stamp_of(tmp_path)
    renew_table(tmp_path)
    assert stamp_of(tmp_path)[1] > before[1]
