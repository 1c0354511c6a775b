"""What is worth an alert, each once for a cause and period, over restarts too."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sinkhole.app.alert_watch import AlertWatch
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.noted import Alert
from sinkhole.policy.feed import FeedState, FeedStatus
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.alert_store import KEPT, AlertStore
from tests.store.rows import START, batch, row

DAY = 86_400


class Watch:
    """A watch on a keeper, with a clock; `new` are the alerts since the last call."""

    def __init__(self, folder, **alerts):
        self.now = START
        self.settings = Settings.model_validate({"server": {"data_dir": folder}, "alerts": {"watch": True, **alerts}})
        self.keeper = StoreKeeper(self.settings)
        self.watch = AlertWatch(self.settings, self.keeper, lambda: self.now)
        self.place = 0
        self.seq = 0

    async def hits(self, *rows, dropped=0):
        self.seq += 1
        await self.keeper.record(batch(*rows, seq=self.seq, worker=f"w{id(self)}", dropped=dropped))

    async def new(self):
        await self.watch.look()
        found = await self.keeper.do(lambda state: AlertStore(state.store).after(self.place, 1000))
        self.place = found[-1].id if found else self.place
        return [(one.kind, one.cause) for one in found]

    async def put(self, text, action=Action.BLOCK, group=None):
        statement = Statement(0, Subject.from_text(text), action, group)
        await self.keeper.do(lambda state: state.policy.put(statement))


@pytest.fixture
async def watch(folder):
    found = Watch(folder)
    assert await found.new() == []
    yield found
    await found.keeper.close()


async def test_a_vendor_is_new_once_and_again_after_days_without(watch):
    await watch.hits(row(vendor="deepseek"), row(vendor="deepseek", name="b.example.org"), row(vendor=None))
    assert await watch.new() == [("new-vendor", "deepseek")]
    await watch.hits(row(vendor="deepseek", at=10 * DAY))
    assert await watch.new() == []
    watch.now += 50 * DAY
    await watch.hits(row(vendor="deepseek", at=50 * DAY))
    assert await watch.new() == [("new-vendor", "deepseek")]


async def test_vendors_of_before_are_not_new(folder):
    before = Watch(folder)
    await before.hits(row(vendor="openai"))
    assert await before.new() == [], "what was there when it began is known"
    await before.hits(row(vendor="openai", at=60))
    assert await before.new() == []
    await before.keeper.close()


async def test_a_restart_repeats_nothing_and_misses_nothing(watch, folder):
    await watch.hits(row(vendor="deepseek"))
    assert await watch.new() == [("new-vendor", "deepseek")]
    await watch.hits(row(vendor="mistral", at=60))
    await watch.keeper.close()
    again = Watch(folder)
    again.place = watch.place
    assert await again.new() == [("new-vendor", "mistral")]
    assert await again.new() == []
    await again.keeper.close()
    watch.keeper = StoreKeeper(watch.settings)


async def test_the_first_attempt_after_a_ban(watch):
    await watch.hits(row(vendor=None, subject="vendor:deepseek", action="monitor"))
    await watch.put("vendor:deepseek")
    assert await watch.new() == []
    await watch.hits(row(vendor=None, subject="vendor:deepseek", at=60), row(vendor=None, subject="ai", at=60))
    assert await watch.new() == [("first-after-ban", "vendor:deepseek for all")]
    await watch.hits(row(vendor=None, subject="vendor:deepseek", at=120))
    assert await watch.new() == []


async def test_a_ban_of_a_group_is_run_into_by_its_group(watch):
    await watch.keeper.do(lambda state: state.policy.put_group(Group("lab", ("192.0.2.0/24",))))
    await watch.put("vendor:deepseek", group="lab")
    await watch.hits(row(vendor=None, subject="vendor:deepseek", group="other"))
    assert await watch.new() == []
    await watch.hits(row(vendor=None, subject="vendor:deepseek", group="lab", at=60))
    assert await watch.new() == [("first-after-ban", "vendor:deepseek for group:lab")]


async def test_a_ban_from_before_is_no_news_and_one_that_was_made_anew_is(watch):
    await watch.hits(row(vendor=None, subject="ai"))
    assert await watch.new() == [], "the policy that was in force when it began"
    await watch.put("ai", Action.MONITOR)
    await watch.new()
    await watch.put("ai")
    await watch.hits(row(vendor=None, subject="ai", at=60))
    assert await watch.new() == [("first-after-ban", "ai for all")]


async def test_the_same_cause_is_told_once_in_a_period(watch):
    async def quarantine(version):
        def work(state):
            _, known = state.feeds.get("doh")
            state.feeds.put_state("doh", replace(known, status=FeedStatus.QUARANTINED, pending_version=version))

        await watch.keeper.do(work)

    await quarantine(2)
    assert await watch.new() == [("feed-quarantined", "doh version 2")]
    assert await watch.new() == []
    await quarantine(3)
    assert await watch.new() == [("feed-quarantined", "doh version 3")]
    watch.now += DAY
    assert await watch.new() == [("feed-quarantined", "doh version 3")]
    await watch.keeper.do(lambda state: state.feeds.put_state("doh", FeedState(fetched_at=datetime.now(UTC))))
    watch.now += 2 * DAY
    assert await watch.new() == []


async def test_dropped_queries_are_told(watch):
    await watch.hits(dropped=7)
    assert await watch.new() == [("recorder-dropping", "recorder")]
    await watch.hits(dropped=1)
    assert await watch.new() == [], "of the same day once"
    watch.now += DAY
    assert await watch.new() == []
    await watch.hits(dropped=1)
    assert await watch.new() == [("recorder-dropping", "recorder")]


async def test_clients_with_a_high_score_are_told(watch):
    hours = [row(subject="bypass:encrypted-dns", vendor=None, name="dns.example", at=-3600 * n) for n in range(2, 14)]
    await watch.hits(*hours)
    watch.watch._bypass_due = 0.0
    watch.settings = watch.settings.model_copy(update={})
    assert await watch.new() == []
    low = AlertWatch(
        watch.settings.model_copy(update={"alerts": watch.settings.alerts.model_copy(update={"bypass_score": 40})}),
        watch.keeper, lambda: watch.now,
    )  # fmt: skip
    await low.look()
    (alert,) = await watch.keeper.do(lambda state: AlertStore(state.store).after(0, 10))
    assert (alert.kind, alert.cause, alert.facts["score"]) == ("bypass-suspected", "192.0.2.1", 40)
    assert "192.0.2.1" not in alert.text, "who it was is told apart, so that it can be left out"


async def test_kinds_that_are_not_wanted_are_not_raised(folder):
    watch = Watch(folder, kinds=["recorder-dropping"])
    await watch.new()
    await watch.hits(row(vendor="deepseek"), dropped=1)
    assert await watch.new() == [("recorder-dropping", "recorder")]
    await watch.keeper.close()


async def test_alerts_are_bounded_and_a_clock_that_was_ahead_silences_none(watch):
    def work(state):
        alerts = AlertStore(state.store)
        assert alerts.put(Alert(0, START + 10 * DAY, "x", "c", "t", {}), DAY)
        assert alerts.put(Alert(0, START, "x", "c", "t", {}), DAY)
        with state.store.transaction() as connection:
            connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = ? WHERE name = 'alert'", (KEPT + 100,))
        assert alerts.put(Alert(0, START, "y", "c", "t", {}), DAY)
        return len(alerts.newest(100))

    assert await watch.keeper.do(work) == 1
