import pytest

from sinkhole.store.bulk import insert_rows


@pytest.mark.parametrize("number", [0, 1, 19, 20, 21, 40, 1003])
def test_all_rows_are_there_as_they_were_given(store, number):
    rows = [(n + 1, f"text {n}", n % 7) for n in range(number)]
    with store.transaction() as connection:
        insert_rows(connection, "INSERT INTO word (id, text, used)", rows)
    with store.reading() as connection:
        found = connection.exec_driver_sql("SELECT id, text, used FROM word ORDER BY id").fetchall()
    assert [tuple(row) for row in found] == rows
