"""The report by mail and to a webhook: of each day or week that is over once, also after a failure or a time off."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from sinkhole.app import report_mail
from sinkhole.app.out_senders import sender_of
from sinkhole.app.out_status import send_test
from sinkhole.app.report_hook import HookCourier
from sinkhole.app.report_mail import MailCourier
from sinkhole.app.scheduled_report import ScheduledReport, span_before
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.out.sender import WaitError
from sinkhole.store.out_store import OutStore
from tests.out.test_webhook import serving
from tests.store.rows import START, batch, row

DAY = 86_400


class Post:
    """Keeps what would be mailed; `error` is raised instead."""

    def __init__(self):
        self.sent = []
        self.error = None

    async def __call__(self, settings, to, subject, text, html):
        if self.error:
            raise self.error
        self.sent.append((to, subject, text, html))


@pytest.fixture
def post(monkeypatch):
    found = Post()
    monkeypatch.setattr(report_mail, "send_mail", found)
    return found


@pytest.fixture
async def report(folder):
    settings = Settings.model_validate({
        "server": {"data_dir": folder}, "mail": {"server": "127.0.0.1:25"},
        "report_mail": {"every": "day", "to": ["boss@example.org"], "hour": 6},
    })  # fmt: skip
    keeper = StoreKeeper(settings)
    clock = [float(START)]
    courier = MailCourier(settings.mail, settings.report_mail.to, "day", keeper)
    yield ScheduledReport(settings.report_mail, keeper, courier, lambda: clock[0]), keeper, clock
    await keeper.close()


async def test_each_day_that_is_over_once(report, post):
    mail, keeper, clock = report
    assert not await mail.send_if_due(), "it was configured a moment ago"
    await keeper.record(batch(row(vendor="deepseek", product="deepseek/chat")))
    midnight = datetime.fromtimestamp(START).astimezone().replace(
        hour=0, minute=0, second=0, microsecond=0
    ) + timedelta(days=1)
    clock[0] = midnight.timestamp() + 5 * 3600
    assert not await mail.send_if_due(), "not before its hour"
    clock[0] = midnight.timestamp() + 6 * 3600
    assert await mail.send_if_due()
    assert not await mail.send_if_due()
    ((to, subject, text, html),) = post.sent
    assert to == ("boss@example.org",)
    day = (midnight - timedelta(days=1)).strftime("%Y-%m-%d")
    assert subject == f"Sinkhole: who tried which AI vendor, {day} to {day}"
    assert "deepseek  CN        1         1        1        0        0" in text
    assert "<title>Who tried which AI vendor</title>" in html
    assert "DeepSeek" in html
    assert "store.db" not in html


async def test_a_failure_is_tried_again_and_an_empty_day_says_so(report, post):
    mail, _, clock = report
    await mail.send_if_due()
    clock[0] += 2.5 * DAY
    post.error = WaitError("it is away")
    with pytest.raises(WaitError):
        await mail.send_if_due()
    post.error = None
    assert await mail.send_if_due()
    assert "No vendor was tried." in post.sent[0][2]


async def test_webhook_gets_it_as_json_once_and_what_failed_again(folder):
    """Signed like all that a webhook gets, and with the same number when it comes again."""
    async with serving() as (hook, port):
        out = {
            "name": "board", "kind": "webhook", "target": f"http://hook.example.org:{port}/", "what": ["reports"],
            "allow_private": True,
        }  # fmt: skip
        settings = Settings.model_validate({
            "server": {"data_dir": folder}, "out": [out], "report_mail": {"every": "week", "hour": 0},
        })  # fmt: skip
        keeper, clock = StoreKeeper(settings), [float(START)]

        async def resolve(_host):
            return ["127.0.0.1"]

        sender = sender_of(settings.out[0], settings, resolve)
        courier = HookCourier("board", sender, asyncio.Lock(), keeper)
        report = ScheduledReport(settings.report_mail, keeper, courier, lambda: clock[0])
        assert not await report.send_if_due()
        await keeper.record(batch(row(vendor="deepseek", product="deepseek/chat")))
        clock[0] += 7 * DAY
        hook.status = 503
        with pytest.raises(WaitError, match="503"):
            await report.send_if_due()
        hook.status = 200
        assert await report.send_if_due()
        assert not await report.send_if_due()
        (cursor,) = await keeper.do(lambda state: OutStore(state.store).cursors())
        await sender.close()
        await keeper.close()
    assert (cursor.receiver, cursor.what, cursor.sent, cursor.failing) == ("board", "reports", 1, None)
    (first, body), (second, again) = hook.seen
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(body)[0]["uid"] == json.loads(again)[0]["uid"]
    (found,) = json.loads(again)
    assert (found["event"], found["every"]) == ("report", "week")
    assert [line["vendor"] for line in found["report"]["vendors"]] == ["deepseek"]
    assert found["report"]["sources"] == []


async def test_test_of_a_webhook_that_takes_reports_says_so_and_counts_nothing(folder):
    async with serving() as (hook, port):
        out = {
            "name": "board", "kind": "webhook", "target": f"http://127.0.0.1:{port}/", "what": ["reports", "alerts"],
            "allow_private": True,
        }  # fmt: skip
        settings = Settings.model_validate({
            "server": {"data_dir": folder}, "upstream": {"servers": ["127.0.0.1:9"]}, "out": [out],
        })  # fmt: skip
        assert await send_test(settings, settings.out[0], settings.out[0].what) == 2
    sent = [json.loads(body)[0] for _, body in hook.seen]
    assert [one["event"] for one in sent] == ["alert", "report"]
    assert "test" in sent[1]["text"]


def test_spans_are_whole_days_and_weeks_of_local_time():
    now = datetime(2026, 11, 26, 15, 0).astimezone()  # a Thursday
    since, until = span_before(now, "day")
    assert (f"{since:%a %F %T}", f"{until:%a %F %T}") == ("Wed 2026-11-25 00:00:00", "Thu 2026-11-26 00:00:00")
    since, until = span_before(now, "week")
    assert (f"{since:%a %F}", f"{until:%a %F}") == ("Mon 2026-11-16", "Mon 2026-11-23")
