"""Migrations: all steps or none, a copy first, forward and back on filled data, and the same schema as the models."""

import shutil
import sqlite3
import stat
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from sinkhole.errors import StoreError
from sinkhole.packaged import packaged_path
from sinkhole.policy.activity import Activity
from sinkhole.policy.basis import Basis
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.feed import Feed
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.sighting import Sighting
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store import (
    admin_models,  # noqa: F401 - all tables, for the metadata
    migration_steps,
    out_models,  # noqa: F401
)
from sinkhole.store.account_store import AccountStore
from sinkhole.store.audit import verify
from sinkhole.store.broken import APPLICATION_ID
from sinkhole.store.candidates import CandidateState, CandidateStore
from sinkhole.store.database import open_store
from sinkhole.store.exception_store import ExceptionStore
from sinkhole.store.expectation_store import ExpectationStore
from sinkhole.store.feed_store import FeedStore
from sinkhole.store.migrate import downgrade, revision_of, upgrade
from sinkhole.store.models import Base
from sinkhole.store.new_store import FILE
from sinkhole.store.override_store import OverrideStore
from sinkhole.store.policy_store import PolicyStore
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from sinkhole.store.retention import Retention, retain
from sinkhole.store.token_store import TokenStore
from tests.store.disk import limited_files
from tests.store.new_store import text_of_steps
from tests.store.rows import START, batch, row

CHECKOUT = Path(__file__).parents[2]
HEAD = "0015"
_STEP = """
revision = "next"
down_revision = "{down}"
branch_labels = None
depends_on = None

def upgrade():
    from alembic import op
    import sqlalchemy as sa
    {upgrade}

def downgrade():
    pass
"""


@pytest.fixture
def filled(path):
    """A store of this version, with a row of everything."""
    store = open_store(path)
    policy = PolicyStore(store, "admin")
    policy.put_group(Group("staff", ("192.0.2.0/24",)))
    policy.put(Statement(0, Subject.from_text("domain:example.org"), Action.BLOCK, "staff"))
    FeedStore(store, "admin").put(Feed("doh", "https://example.org/doh.txt"))
    ExpectationStore(store, "admin").replace([Expectation("example.org", Action.BLOCK, group="staff")])
    now = datetime.now(UTC)
    ahead = now + timedelta(days=1)
    ExceptionStore(store, "admin").put(PolicyException(Subject.from_text("ai"), ahead, "why", "Ann"), now)
    OverrideStore(store, "admin").begin(Override(OverrideKind.PAUSE, 0, (), ahead), now)
    AccountStore(store, "admin").create("ann", "read", "$argon2id$", now)
    TokenStore(store, "admin").create("ci", ("read",), ahead, now)
    seen = Sighting("novel.ai", ("its suffix .ai",), 3, 1, 2, ("novel.ai",), True, ("192.0.2.1",))
    rows = batch(row(), row(name="other.example.org", count=3), dropped=1)
    Recorder(store, str).write(replace(rows, sightings=(seen,)))
    store.close()
    return path


@pytest.fixture
def scripts(tmp_path):
    """Return what adds a next migration to a copy of ours."""

    def add(body):
        folder = tmp_path / "migrations"
        shutil.copytree(packaged_path("migrations"), folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "next.py").write_text(_STEP.format(down=HEAD, upgrade="\n    ".join(body)))
        return folder

    return add


def dump(path):
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def told(path):
    store = open_store(path)
    try:
        policy, reports = PolicyStore(store, "x"), Reports(store, 300)
        feeds = FeedStore(store, "x").all()
        return policy.statements(), policy.groups(), feeds, reports.count_by("name"), reports.totals()
    finally:
        store.close()


def test_migrations_make_what_the_models_say(path):
    """R-D05: by alembic's own comparison, and by what it does not look at."""
    open_store(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
    made, modelled = schema(path), path.with_name("models.db")
    engine = create_engine(f"sqlite:///{modelled}")
    Base.metadata.create_all(engine)
    engine.dispose()
    assert {key: value for key, value in made.items() if key != "alembic_version"} == schema(modelled)


def schema(path):
    """Return columns, foreign keys, indices and AUTOINCREMENT of each table."""
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        found = {
            name: (
                connection.execute(f"PRAGMA table_info('{name}')").fetchall(),
                sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list('{name}')")),
                sorted(
                    (unique, partial, tuple(connection.execute(f"PRAGMA index_info('{index}')").fetchall()))
                    for _, index, unique, _, partial in connection.execute(f"PRAGMA index_list('{name}')")
                ),
                "AUTOINCREMENT" in sql,
            )
            for name, sql in tables
        }
    connection.close()
    return found


def test_new_store_is_what_all_steps_make(path):
    """At once, and one by one."""
    folder = packaged_path("migrations")
    assert (folder / FILE).read_text() == text_of_steps(folder)
    stepped = path.with_name("stepped.db")
    migration_steps.upgrade(stepped, folder, "head")
    upgrade(path)
    assert (dump(path), properties(path)) == (dump(stepped), properties(stepped))


def properties(path):
    with closing(sqlite3.connect(path)) as connection:
        names = ("application_id", "auto_vacuum", "journal_mode", "encoding", "page_size", "user_version")
        return {name: connection.execute(f"PRAGMA {name}").fetchone() for name in names}


def test_new_store_takes_the_steps_where_it_is_known_at_once_for_another_revision_or_not_at_all(path, scripts):
    folder = scripts(["op.create_table('later', sa.Column('x', sa.Text))"])
    upgrade(path, scripts=folder)
    (folder / FILE).unlink()
    other = path.with_name("other.db")
    upgrade(other, scripts=folder)
    assert [revision_of(one) for one in (path, other)] == ["next", "next"]
    assert "later" in schema(path)


def test_new_store_that_cannot_be_made_at_once_is_as_if_never_begun(path, scripts):
    folder = scripts(["pass"])
    whole = (folder / FILE).read_text().replace(f"('{HEAD}')", "('next')")
    (folder / FILE).write_text(whole + "nonsense;")
    with pytest.raises(sqlite3.OperationalError, match="nonsense"):
        upgrade(path, scripts=folder)
    assert (revision_of(path), schema(path)) == (None, {})
    (folder / FILE).write_text(whole)
    upgrade(path, scripts=folder)
    assert revision_of(path) == "next"


def test_new_store_may_be_made_by_several_at_once(path):
    code = (
        "import sys; from pathlib import Path; from sinkhole.store.migrate import upgrade\n"
        f"sys.stdin.read(); upgrade(Path({str(path)!r}))"
    )
    command = [sys.executable, "-c", code]
    makers = [subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    for maker in makers:
        maker.stdin.close()
    ends = [(maker.wait(30), maker.stderr.read()) for maker in makers]
    for maker in makers:
        maker.stderr.close()
    assert ends == [(0, b"")] * 4
    assert revision_of(path) == HEAD


def test_file_says_whose_it_is(path):
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


def test_all_steps_go_forward_and_back_on_filled_data(filled):
    """R-D05, R-O07: and what older versions knew is still there."""
    before = told(filled)
    revisions = ["0001", "0002", "0003", "0004"]
    for revision in revisions:
        downgrade(filled, revision)
        assert revision_of(filled) == revision
        assert told(filled) == before  # opening upgraded it again
        assert revision_of(filled) == HEAD
    downgrade(filled, "base")
    assert revision_of(filled) is None
    with sqlite3.connect(filled) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert tables <= {"alembic_version", "sqlite_sequence"}
    upgrade(filled)
    assert told(filled) == ((), (), [], [], (0, 0))


def test_older_version_does_not_take_a_catalogue_for_a_list(filled):
    """A feed with a key is off after going back to where keys are not known."""
    store = open_store(filled)
    FeedStore(store, "admin").put(Feed("catalogue", "https://example.org/catalogue.json", "catalogue", key="RWx"))
    store.close()
    downgrade(filled, "0002")
    with sqlite3.connect(filled) as connection:
        assert dict(connection.execute("SELECT name, enabled FROM feed")) == {"catalogue": 0, "doh": 1}
    connection.close()


def test_older_version_does_not_let_a_statement_hold_outside_its_schedule(filled):
    """Going back forgets statements with a schedule and keeps the others, and no number is given twice."""
    store = open_store(filled)
    policy = PolicyStore(store, "admin")
    schedule = schedule_from_text("mon-fri 08:00-17:00 @Europe/Berlin")
    last = policy.put(Statement(0, Subject.from_text("domain:example.org"), Action.ALLOW, "staff", schedule=schedule))
    store.close()
    downgrade(filled, "0003")
    with sqlite3.connect(filled) as connection:
        assert connection.execute('SELECT subject, action, "group" FROM statement').fetchall() == [
            ("domain:example.org", "block", "staff")
        ]
    connection.close()
    store = open_store(filled)
    policy = PolicyStore(store, "admin")
    assert [statement.schedule for statement in policy.statements()] == [None]
    assert policy.put(Statement(0, Subject.from_text("ai"), Action.BLOCK)).id == last.id + 1
    store.close()


def test_empty_table_goes_forward_and_back(path):
    upgrade(path, to="0003")
    upgrade(path)
    downgrade(path, "0003")
    assert revision_of(path) == "0003"


def test_expectations_are_forgotten_on_the_way_back_alone(filled):
    """R-O07: an older version neither knows nor keeps them; forward, they are kept."""
    store = open_store(filled)
    assert [str(one) for one in ExpectationStore(store, "x").all()] == ["example.org A for group staff: block"]
    store.close()
    downgrade(filled, "0003")
    store = open_store(filled)
    assert ExpectationStore(store, "x").all() == ()
    assert [str(statement.subject) for statement in PolicyStore(store, "x").statements()] == ["domain:example.org"]
    store.close()


def test_entries_of_the_audit_log_are_chained_as_they_are_found(filled):
    """And are as append-only as before."""
    downgrade(filled, "0005")
    store = open_store(filled)
    with store.reading() as connection:
        found = verify(connection)
    assert (found.count > 0, found.broken) == (True, ())
    with pytest.raises(StoreError, match="append-only"), store.transaction() as connection:
        connection.exec_driver_sql("UPDATE audit SET digest = NULL")
    store.close()


def test_candidates_are_forgotten_on_the_way_back_with_what_names_them(filled):
    """R-O07: an older version reads neither the queue nor the subject `unreviewed`; forward, the queue is kept."""
    store = open_store(filled)
    queue, policy = CandidateStore(store, "admin"), PolicyStore(store, "admin")
    assert queue.decide("novel.ai", CandidateState.IGNORED).count == 3
    assert queue.clients("novel.ai") == ["192.0.2.1"]
    policy.put(Statement(0, Subject.from_text("unreviewed"), Action.BLOCK))
    expected = ExpectationStore(store, "admin")
    expected.replace([*expected.all(), Expectation("x.ai", Action.BLOCK, by=Subject.from_text("unreviewed"))])
    store.close()
    downgrade(filled, "0005")
    with sqlite3.connect(filled) as connection:
        assert connection.execute("SELECT subject FROM statement").fetchall() == [("domain:example.org",)]
        assert connection.execute("SELECT name FROM expectation").fetchall() == [("example.org",)]
    connection.close()
    store = open_store(filled)
    assert CandidateStore(store, "x").all() == []
    store.close()


def test_older_version_blocks_what_is_coached_and_knows_no_overrides(filled):
    """It knows no such word and no page; what was counted as coached is counted as blocked."""
    store = open_store(filled)
    policy = PolicyStore(store, "admin")
    policy.put(Statement(0, Subject.from_text("ai"), Action.COACH))
    expectations = ExpectationStore(store, "admin")
    expectations.replace([*expectations.all(), Expectation("ai.example.org", Action.COACH)])
    Recorder(store, str).write(batch(row(action="coach", count=2), row(action="block", count=3), worker="other"))
    retain(store, Retention(30_000, 2**40), float(START + 3 * 86_400))
    store.close()
    downgrade(filled, "0005")
    with sqlite3.connect(filled) as connection:
        assert dict(connection.execute("SELECT subject, action FROM statement")) == {
            "domain:example.org": "block", "ai": "block",
        }  # fmt: skip
        assert connection.execute("SELECT DISTINCT expect FROM expectation").fetchall() == [("block",)]
        assert connection.execute("SELECT DISTINCT action FROM hit").fetchall() == [(30,)]
        assert connection.execute("SELECT action, clients, hits FROM daily").fetchall() == [(30, 1, 9)]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert tables.isdisjoint({"override", "policy_exception"})
    connection.close()
    store = open_store(filled)
    assert ExceptionStore(store, "x").all() == ()
    assert OverrideStore(store, "x").in_force(datetime.now(UTC)) == ()
    store.close()


def test_older_version_does_not_take_a_mac_address_for_a_network(filled):
    """Going back forgets members that are no networks, and clients; the groups and their statements stay."""
    store = open_store(filled)
    policy = PolicyStore(store, "admin")
    members = ("192.0.2.0/24", "id:LAPTOP-7", "mac:aa:bb:cc:dd:ee:ff", "name:*.lab.example")
    policy.put_group(Group("lab", members))
    assert [group.members for group in policy.groups()] == [members, ("192.0.2.0/24",)]
    Recorder(store, str).write(batch(seq=2, clients=(Activity("192.0.2.7", 3600, 3700, 1),)))
    store.close()
    downgrade(filled, "0005")
    with sqlite3.connect(filled) as connection:
        found = connection.execute('SELECT "group", kind, value FROM group_member ORDER BY 1').fetchall()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert found == [("lab", "network", "192.0.2.0/24"), ("staff", "network", "192.0.2.0/24")]
    assert not tables & {"client", "client_hour"}
    store = open_store(filled)
    assert len(PolicyStore(store, "x").statements()) == 1
    store.close()


def test_copy_is_made_before_an_upgrade(filled, caplog):
    """R-D05: whole, for the owner alone, and readable by the version that wrote it."""
    downgrade(filled, "0001")
    before = dump(filled)
    caplog.set_level("INFO", "sinkhole.store")
    open_store(filled).close()
    copy = filled.with_name(f"store.db.before-{HEAD}")
    assert dump(copy) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert "store.upgrading" in caplog.text
    assert {file.name for file in filled.parent.iterdir()} == {"store.db", copy.name}


def test_new_or_current_store_needs_no_copy(path):
    for _ in range(2):
        open_store(path).close()
        assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_copy_that_does_not_fit_stops_the_upgrade(filled):
    """R-D04, R-D05."""
    downgrade(filled, "0001")
    before = dump(filled)
    with limited_files(filled.stat().st_size - 4096), pytest.raises(StoreError):
        open_store(filled)
    assert dump(filled) == before
    assert [file.name for file in filled.parent.iterdir() if "before" in file.name] == []


@pytest.mark.parametrize(
    "body",
    [
        ["op.drop_table('feed')", "raise ZeroDivisionError"],
        ["op.execute('DELETE FROM client_group')", "op.execute('nonsense')"],
        ["op.add_column('feed', sa.Column('x', sa.Text))", "raise KeyboardInterrupt"],
    ],
)
def test_step_that_fails_half_way_leaves_no_trace(filled, scripts, body):
    """R-D05: also of DDL, and of rows deleted before."""
    before = dump(filled)
    with pytest.raises(BaseException, match=r"^$|nonsense"):
        upgrade(filled, scripts=scripts(body))
    assert dump(filled) == before
    assert revision_of(filled) == HEAD


def test_step_that_orphans_rows_is_undone(filled, scripts):
    """A table is altered by copying it, with foreign keys off; what belongs to nothing in the end is an error."""
    before = dump(filled)
    with pytest.raises(StoreError, match=r"a row of (statement|group_member) would belong to nothing"):
        upgrade(filled, scripts=scripts(["op.execute('DELETE FROM client_group')"]))
    assert dump(filled) == before


def test_step_that_copies_a_table_keeps_the_rows_that_point_to_it(filled, scripts):
    body = ["with op.batch_alter_table('client_group') as batch:", "    batch.add_column(sa.Column('x', sa.Text))"]
    upgrade(filled, scripts=scripts(body))
    with sqlite3.connect(filled) as connection:
        assert connection.execute("SELECT COUNT(*) FROM statement WHERE \"group\" = 'staff'").fetchone() == (1,)
        assert connection.execute("SELECT x FROM client_group").fetchall() == [(None,)]
    connection.close()


def test_steps_that_do_not_fit_together_are_a_store_error(filled, scripts):
    folder = scripts(["pass"])
    with pytest.raises(StoreError, match="cannot be migrated"):
        downgrade(filled, "unknown", folder)
    assert revision_of(filled) == HEAD


def test_killed_half_way_is_as_if_never_begun(filled, scripts):
    """R-D05: kill -9 in the middle of a step."""
    folder = scripts(["op.drop_table('feed')", "import os", "os.kill(os.getpid(), 9)"])
    before = dump(filled)
    code = (
        "from pathlib import Path; from sinkhole.store.migrate import upgrade\n"
        f"upgrade(Path({str(filled)!r}), scripts=Path({str(folder)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True)
    assert done.returncode == -9
    assert dump(filled) == before
    open_store(filled).close()


def test_corrupt_schema_is_not_taken_for_an_empty_one(path):
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(sqlite3.DatabaseError):
        revision_of(path)


def test_damaged_revision_table_is_an_error(filled):
    with sqlite3.connect(filled) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.execute("CREATE TABLE alembic_version (other TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="no such column: version_num"):
        open_store(filled)


def test_installed_wheel_finds_its_migrations(tmp_path):
    """R-O07: the store of an installation is made and upgraded without a checkout at hand."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir",
         tmp_path / "wheel", CHECKOUT],
        capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "wheel").iterdir()
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = (
        "import sys; from pathlib import Path\n"
        "import sinkhole; from sinkhole.store.database import open_store\n"
        "from sinkhole.store.migrate import downgrade, revision_of\n"
        f"assert sinkhole.__file__.startswith({str(site)!r}), sinkhole.__file__\n"
        "path = Path('store.db').resolve()\n"
        "open_store(path).close(); downgrade(path, '0001'); open_store(path).close(); print(revision_of(path))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == (HEAD, "")


def test_basis_is_forgotten_on_the_way_back_and_the_statement_stays(filled):
    """R-O07: an older version answers such a block with the extended error of its group or server."""
    store = open_store(filled)
    said = PolicyStore(store, "x").put(Statement(0, Subject.from_text("ai"), Action.BLOCK, basis=Basis.LAW))
    store.close()
    downgrade(filled, "0005")
    with sqlite3.connect(filled) as connection:
        assert "basis" not in [row[1] for row in connection.execute("PRAGMA table_info('statement')")]
    connection.close()
    store = open_store(filled)
    assert {one.id: one.basis for one in PolicyStore(store, "x").statements()}[said.id] is None
    store.close()
