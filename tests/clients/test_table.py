"""The table of who is at which address, as workers read it."""

import stat

import pytest

from sinkhole.clients.table import (
    GOOD_FOR,
    NAME,
    TableError,
    fresh_names,
    identity_of_row,
    read_table,
    renew_table,
    stamp_of,
    write_table,
)
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


def test_names_of_a_fresh_table(tmp_path):
    assert fresh_names(tmp_path, 0.0) == {}
    write_table(tmp_path, WHO)
    now = stamp_of(tmp_path)[2]
    assert fresh_names(tmp_path, now) == {"192.0.2.7": ("pc7.lab.example",)}
    assert fresh_names(tmp_path, now + GOOD_FOR + 1) == {}
    (tmp_path / NAME).write_text("nonsense")
    assert fresh_names(tmp_path, stamp_of(tmp_path)[2]) == {}
