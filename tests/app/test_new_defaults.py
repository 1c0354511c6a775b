"""What a fresh installation says and an older one never did; what was taken back is no news."""

from sinkhole.app.new_defaults import new_defaults
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.subject import Subject


def test_older_installation_is_told_and_what_was_removed_is_not(tmp_path):
    state = open_state(load_settings(None, {}, {"server.data_dir": tmp_path}))
    assert new_defaults(state) == ()
    state.policy.remove(Subject.from_text("lookalikes"), None)
    assert new_defaults(state) == ()
    with state.store.transaction() as connection:  # as if it had been filled before there was such a subject
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("DELETE FROM audit WHERE what LIKE '%lookalikes%' OR what LIKE '%httpdns%'")
    assert [str(statement.subject) for statement in new_defaults(state)] == ["lookalikes", "bypass:httpdns"]
    state.close()
