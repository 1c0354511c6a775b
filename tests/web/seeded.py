"""Hits for pages to show: written as the recorder writes them."""

import time
from itertools import count

from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import HitRow
from sinkhole.policy.identity import Identity
from sinkhole.store.audit import INSERT, entries
from sinkhole.store.client_store import ClientStore
from sinkhole.store.daily import sum_days
from sinkhole.store.recorder import HitBatch, Recorder

DAY = 86_400
HOSTILE = "\u202e<script>alert(1)</script>\x1b[2J\x07.example"
_SEQ = count(1)


def hit(ago=60, client="192.0.2.7", name="chat.deepseek.com", vendor="deepseek", action="block", **more):
    """Return a row of so many seconds ago."""
    at = int(time.time()) - ago
    product = {"deepseek": "deepseek/chat", "openai": "openai/chatgpt"}.get(vendor)
    values = {
        "minute": at // 60, "client": client, "group": None, "name": name, "qtype": 1, "action": action,
        "vendor": vendor, "product": product, "feed": None, "subject": "ai", "count": 2, "first": at, "last": at,
    }  # fmt: skip
    return HitRow(**(values | more))


def record(site, *rows, clients=()):
    """Write rows, and sum up the days that are over."""
    with site.state() as state:
        ordered = tuple(sorted(rows, key=lambda row: row.first))
        assert Recorder(state.store, str).write(HitBatch("seed", next(_SEQ), ordered, 0, clients=tuple(clients)))
        list(sum_days(state.store, 300, time.time()))


def meet(site, client, mac, name, queries=5):
    """Let a client be seen now, with who it is."""
    now = int(time.time())
    record(site, clients=[Activity(client, now, now, queries)])
    with site.state() as state:
        ClientStore(state.store, str).note_identities([(client, Identity(mac, (name,), ()), "calls-itself")])


def note_again(state, what, at):
    """Repeat the last entry of the audit log that says so, as if it were of another time."""
    with state.store.transaction() as connection:
        (entry,) = entries(connection, 1, text=what)
        connection.exec_driver_sql(INSERT, (entry.id + 1, at, entry.who, "", what, entry.before, entry.after, None))
