"""The API does what the command line does, says whether it is in force, and is careful with what others changed."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sinkhole.policy.hit import HitRow
from sinkhole.policy.sighting import Sighting
from sinkhole.store.audit import entries
from sinkhole.store.recorder import HitBatch, Recorder

V1 = "/api/v1"


@pytest.fixture(scope="module")
def api(site):
    with site.client(site.token("manage")) as found:
        yield found


def hit(number, name="chat.deepseek.com", client="192.0.2.7"):
    at = int(time.time()) - 60
    return HitRow(at // 60, client, None, name, 1, "block", "deepseek", "deepseek/chat", None, "ai", number, at, at)


SEQ = count(1)


def record(site, *rows, sightings=()):
    with site.state() as state:
        assert Recorder(state.store, str).write(HitBatch("worker-0", next(SEQ), tuple(rows), 0, sightings))


def test_statement_is_added_shown_and_removed(site, api):
    made = api.post(f"{V1}/policy/statements", json={"subject": "mistral", "action": "block", "reason": "why"})
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["result"]["subject"] == "vendor:mistral"
    assert told["late_workers"] is None
    number = told["result"]["id"]
    shown = api.get(f"{V1}/policy/statements/{number}")
    assert shown.json() == told["result"]
    assert shown.headers["ETag"] == made.headers["ETag"]
    assert api.get(f"{V1}/explain", params={"name": "chat.mistral.ai"}).json()["outcome"] == "BLOCK"
    assert api.delete(f"{V1}/policy/statements/{number}").status_code == 200
    assert api.get(f"{V1}/policy/statements/{number}").status_code == 404
    with site.state() as state, state.store.reading() as connection:
        newest = entries(connection, 2)
    assert [entry.what for entry in newest] == [
        "policy remove vendor:mistral for all",
        "policy block vendor:mistral for all",
    ]
    assert {(entry.who[:6], entry.origin) for entry in newest} == {("token ", "web from 127.0.0.1")}


def test_nobody_overwrites_what_another_changed(api):
    """RFC 9110, section 13.1: If-Match and If-None-Match."""
    body = {"subject": "cohere", "action": "monitor"}
    made = api.post(f"{V1}/policy/statements", json=body, headers={"If-None-Match": "*"})
    assert made.status_code == 201
    assert api.post(f"{V1}/policy/statements", json=body, headers={"If-None-Match": "*"}).status_code == 412
    changed = api.post(
        f"{V1}/policy/statements", json=body | {"reason": "x"}, headers={"If-Match": made.headers["ETag"]}
    )
    assert changed.status_code == 201
    path = f"{V1}/policy/statements/{changed.json()['result']['id']}"
    assert api.delete(path, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert api.get(path, headers={"If-None-Match": changed.headers["ETag"]}).status_code == 304
    assert api.delete(path, headers={"If-Match": changed.headers["ETag"]}).status_code == 200


def test_preview_changes_nothing(api):
    before = api.get(f"{V1}/policy/statements").json()
    told = api.post(f"{V1}/policy/preview", json={"add": {"subject": "openai", "action": "allow"}})
    assert told.status_code == 200
    assert any("known name" in line for line in told.json()["said"])
    assert api.get(f"{V1}/policy/statements").json() == before
    assert api.post(f"{V1}/policy/preview", json={}).status_code == 400
    assert api.post(f"{V1}/policy/preview", json={"remove": 9999}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"action": "block"}, 400, "body.subject"),
        ({"subject": "ai", "action": "destroy"}, 400, "body.action"),
        ({"subject": "ai", "action": "block", "colour": "red"}, 400, "body.colour"),
        ({"subject": "ai\u0000", "action": "block"}, 400, "body.subject"),
        ({"subject": "ai", "action": "block", "expires": "2030-01-01"}, 400, "body.expires"),
        ({"subject": "depseek", "action": "block"}, 422, "did you mean deepseek"),
        ({"subject": "ai", "action": "block", "expires": "2001-01-01T00:00:00Z"}, 422, "is in the past"),
        ({"subject": "ai", "action": "block", "group": "nobody"}, 422, "there is no group"),
        ({"subject": "ai", "action": "allow", "basis": "law"}, 422, "a basis is of a block"),
    ],
)
def test_mistakes_are_named_with_their_place(api, body, status, where):
    answer = api.post(f"{V1}/policy/statements", json=body)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert where in answer.json()["detail"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff", b'{"subject": "\\ud800", "action": "block"}'])
def test_body_that_is_no_object_is_refused(api, text):
    answer = api.post(f"{V1}/policy/statements", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_query_is_strict(api):
    for query in ("limit=0", "limit=x", "limit=1.0", "limit=1&limit=2", "colour=red", "general=yes"):
        assert api.get(f"{V1}/policy/statements?{query}").status_code == 400, query
    assert api.get(f"{V1}/status?x=1").status_code == 400


def test_groups(api):
    made = api.post(f"{V1}/groups/lab/members", json={"members": ["192.0.2.0/24"], "ipv4": "192.0.2.9"})
    assert made.json()["result"] | {"order": 100} == {
        "name": "lab", "order": 100, "members": ["192.0.2.0/24"], "mode": "address", "ipv4": "192.0.2.9", "ipv6": None,
    }  # fmt: skip
    assert api.post(f"{V1}/groups/lab/members", json={"members": ["x"], "ipv4": "::1"}).status_code == 422
    more = api.post(
        f"{V1}/groups/lab/members", json={"members": ["192.0.2.7"]}, headers={"If-Match": made.headers["ETag"]}
    )
    assert more.json()["result"]["members"] == ["192.0.2.0/24", "192.0.2.7"]
    less = api.post(f"{V1}/groups/lab/members/remove", json={"members": ["192.0.2.7"]})
    assert less.json()["result"]["members"] == ["192.0.2.0/24"]
    assert api.get(f"{V1}/groups").json()["items"] == [less.json()["result"]]
    assert api.delete(f"{V1}/groups/lab").status_code == 200
    assert api.delete(f"{V1}/groups/lab").status_code == 404


def test_exception_is_asked_for_and_decided(api):
    ends = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    made = api.post(
        f"{V1}/exceptions", json={"subject": "deepseek", "ends": ends, "reason": "a paper", "client": "192.0.2.7"}
    )
    assert made.status_code == 201, made.text
    number, path = made.json()["id"], f"{V1}/exceptions/{made.json()['id']}"
    assert api.get(f"{V1}/exceptions", params={"state": "requested"}).json()["items"] == [made.json()]
    assert api.post(f"{V1}/policy/preview", json={"approve": number}).status_code == 200
    approved = api.post(f"{path}/approve").json()
    assert approved["result"]["state"] == "approved"
    assert approved["notes"] == [f"{approved['result']['owner']} asked for it and approved it"]
    asked = {"name": "chat.deepseek.com", "client": "192.0.2.7"}
    assert api.get(f"{V1}/explain", params=asked).json()["override"]["name"] == f"exception:{number}"
    assert api.post(f"{path}/deny").status_code == 409
    assert api.post(f"{path}/revoke").json()["result"]["state"] == "revoked"
    assert api.post(f"{V1}/exceptions/9999/approve").status_code == 404


def test_pause_and_lockdown(api):
    begun = api.post(f"{V1}/overrides/lockdown", json={"minutes": 5, "reason": "an exam"})
    assert begun.status_code == 201, begun.text
    number = begun.json()["result"]["id"]
    assert "ai" in begun.json()["result"]["subjects"]
    assert [one["id"] for one in api.get(f"{V1}/overrides?kind=lockdown").json()["items"]] == [number]
    assert api.delete(f"{V1}/overrides/lockdown/{number}").status_code == 200
    assert api.delete(f"{V1}/overrides/lockdown/{number}").status_code == 404
    assert api.post(f"{V1}/overrides/pause", json={"minutes": 20_000}).status_code == 422
    assert api.post(f"{V1}/overrides/pause", json={}).status_code == 400
    assert api.post(f"{V1}/overrides/pause", json={"minutes": 1, "subjects": ["deepseek"]}).status_code == 201


def test_feeds(site, api):
    lists = site.settings.server.data_dir / "lists"
    (lists / "mine.txt").write_text("ai-in-a-list.example\n")
    made = api.post(f"{V1}/feeds", json={"url": "file:mine.txt", "name": "mine", "format": "domains"})
    assert made.status_code == 201, made.text
    started = api.post(f"{V1}/sync", json={"feeds": ["mine"]})
    assert started.status_code == 202, started.text
    deadline = time.monotonic() + 20
    while (last := api.get(f"{V1}/sync").json()["last"])["outcome"] == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (last["outcome"], last["results"][0]["status"], last["results"][0]["rules"]) == ("done", "updated", 1)
    assert api.get(f"{V1}/sync/runs").json()["items"][0]["feed"] == "mine"
    assert api.get(f"{V1}/explain", params={"name": "ai-in-a-list.example"}).json()["outcome"] == "BLOCK"
    assert api.post(f"{V1}/feeds/mine/rollback", json={}).status_code == 409
    assert api.get(f"{V1}/feeds/mine/diff").status_code == 422
    assert api.get(f"{V1}/feeds/mine/rejections").json()["items"] == []
    assert api.post(f"{V1}/feeds/mine/disable").json()["result"]["enabled"] is False
    assert api.get(f"{V1}/explain", params={"name": "ai-in-a-list.example"}).json()["outcome"] == "NONE"
    assert api.delete(f"{V1}/feeds/mine").status_code == 200
    assert not (site.settings.server.data_dir / "feeds" / "mine").exists()
    assert api.post(f"{V1}/sync", json={"feeds": ["mine"]}).status_code == 422


@pytest.mark.parametrize(
    "url",
    [
        "gopher://x.example/", "javascript:alert(1)", "https://", "file:///", "file:../../etc/passwd",
        "file:%2e%2e/store.db", "file:///etc/passwd", "file://other.example/x", "https://ann:secret@x.example/list",
    ],
)  # fmt: skip
def test_feed_that_is_no_list_is_refused(api, url):
    """ASVS 12.6, SSRF: what can never be fetched is refused; what may be is decided where all feeds are fetched."""
    answer = api.post(f"{V1}/feeds", json={"url": url, "name": "bad"})
    assert answer.status_code == 422
    assert api.get(f"{V1}/feeds/bad").status_code == 404


def test_hits_are_paged_from_the_newest(site, api):
    record(site, *(hit(1, f"host{number}.example.org") for number in range(5)))
    names, cursor = [], None
    while True:
        page = api.get(f"{V1}/hits", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        names += [one["name"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert names == [f"host{number}.example.org" for number in (4, 3, 2, 1, 0)]
    assert api.get(f"{V1}/hits", params={"cursor": "nonsense"}).json()["items"] == []
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert api.get(f"{V1}/hits", params={"since": later}).json()["items"] == []
    top = api.get(f"{V1}/hits/top", params={"by": "jurisdiction"}).json()
    assert [(one["key"], one["hits"]) for one in top["items"]] == [("CN", 5)]
    told = api.get(f"{V1}/reports/vendors").json()
    assert (told["clients"], told["vendors"][0]["name"]) == (1, "DeepSeek")
    record(site, hit(1, "host0.example.org", client="192.0.2.8"))
    page = api.get(f"{V1}/reports/clients", params={"limit": 1}).json()
    rest = api.get(f"{V1}/reports/clients", params={"limit": 1, "cursor": page["next"]}).json()
    assert {one["client"] for one in page["items"] + rest["items"]} == {"192.0.2.7", "192.0.2.8"}
    assert rest["next"] is None


def test_live_hits_come_as_they_are_stored(site, api):
    told = []
    ready = threading.Event()

    def listen():
        with api.stream("GET", f"{V1}/hits/live") as stream:
            assert stream.headers["Content-Type"] == "text/event-stream"
            for line in stream.iter_lines():
                ready.set()
                if line.startswith("data: "):
                    told.append(json.loads(line.removeprefix("data: ")))
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(10)
    deadline = time.monotonic() + 10
    for number in count():  # the first look may come after the first hit
        if told or time.monotonic() > deadline:
            break
        record(site, hit(1, f"live{number}.example.org"))
        thread.join(0.3)
    thread.join(5)
    assert told[0]["name"].startswith("live")


def test_listener_that_comes_again_is_told_what_it_missed(site, api):
    """HTML, section 9.2: a browser says by itself what it was told last."""
    record(site, hit(1, "before.example.org"))
    last = max(one["id"] for one in api.get(f"{V1}/hits").json()["items"])
    record(site, *(hit(1, f"missed{number}.example.org") for number in range(3)))
    with api.stream("GET", f"{V1}/hits/live", headers={"Last-Event-ID": str(last)}) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        told = [json.loads(next(lines).removeprefix("data: ")) for _ in range(3)]
        record(site, hit(1, "after.example.org"))
        told.append(json.loads(next(lines).removeprefix("data: ")))
    names = [one["name"] for one in told]
    assert names == ["missed0.example.org", "missed1.example.org", "missed2.example.org", "after.example.org"]
    for nonsense in ("", "-1", "NaN", "9" * 30):
        with api.stream("GET", f"{V1}/hits/live", headers={"Last-Event-ID": nonsense}) as stream:
            assert next(stream.iter_lines()).startswith("retry:")


def test_listeners_are_bounded(site, api):
    from contextlib import ExitStack

    with ExitStack() as stack:
        codes = []
        listener = stack.enter_context(site.client(site.token("report")))
        for _ in range(9):
            stream = stack.enter_context(listener.stream("GET", f"{V1}/hits/live"))
            codes.append(stream.status_code)
        assert codes == [200] * 8 + [503]


async def test_slow_listener_is_dropped():
    from sinkhole.web.live import Event, Listener, Topic

    listener = Listener("x", Topic.HITS)
    for number in range(501):
        listener.tell(Event("hit", "{}", number))
    assert listener.is_slow


def test_candidates(site, api):
    seen = Sighting("novel-gpt.example", ("its name has gpt",), 3, 1, 2, ("chat.novel-gpt.example",), True, ())
    record(site, sightings=(seen,))
    found = api.get(f"{V1}/discover").json()["items"]
    assert [(one["domain"], one["state"]) for one in found] == [("novel-gpt.example", "new")]
    path = f"{V1}/discover/novel-gpt.example"
    ignored = api.post(f"{path}/ignore", json={"reason": "a school"})
    assert ignored.json()["result"]["state"] == "ignored"
    assert api.post(f"{path}/reopen").json()["result"]["state"] == "new"
    accepted = api.post(f"{path}/accept", json={"category": "chat"})
    assert accepted.json()["result"]["state"] == "accepted", accepted.text
    assert api.post(f"{path}/ignore", json={}).status_code == 409
    assert api.get(f"{V1}/discover/none.example").status_code == 404


def test_audit_log_is_paged_and_verified(api):
    first = api.get(f"{V1}/audit", params={"limit": 2}).json()
    second = api.get(f"{V1}/audit", params={"limit": 2, "cursor": first["next"]}).json()
    ids = [one["id"] for one in (*first["items"], *second["items"])]
    assert ids == list(range(ids[0], ids[0] - 4, -1))
    assert api.get(f"{V1}/audit/{ids[0]}").json() == first["items"][0]
    assert api.get(f"{V1}/audit/chain").json()["whole"] is True
    assert api.get(f"{V1}/audit", params={"text": "exception"}).json()["items"]
    assert api.get(f"{V1}/audit/999999").status_code == 404


def test_expectation_is_a_conflict_unless_forced(site, api):
    from sinkhole.policy.expectation import Expectation
    from sinkhole.policy.verdict import Action

    with site.state() as state:
        state.expectations.replace([Expectation("chat.deepseek.com", Action.BLOCK, qtype="A")])
    body = {"subject": "vendor:deepseek", "action": "allow"}
    refused = api.post(f"{V1}/policy/statements", json=body)
    assert refused.status_code == 409
    assert "breaks the expectation" in refused.json()["detail"]
    assert api.post(f"{V1}/policy/statements?force=true", json=body).status_code == 201
    with site.state() as state:
        state.expectations.replace([])


def test_store_that_is_gone_is_said_so(tmp_path):
    from sinkhole.config.schema import AdminSettings
    from tests.web.conftest import Site

    site = Site(tmp_path / "data", AdminSettings())
    site.start()
    try:
        with site.client(site.token("read")) as client:
            assert client.get(f"{V1}/groups").status_code == 200
            for file in site.settings.server.data_dir.glob("store.db*"):
                file.unlink()
            answer = client.get(f"{V1}/groups")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    finally:
        site.stop()
