"""Policy as a file, by the API: what the command line does, no way round a scope, and no word about people."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.noted import Alert
from sinkhole.policy.hit import HitRow
from sinkhole.store.alert_store import AlertStore
from sinkhole.store.recorder import HitBatch, Recorder

V1 = "/api/v1"
STATEMENT = '\n[[statements]]\nsubject = "vendor:cohere"\naction = "monitor"\n'
GROUP = '\n[[groups]]\nname = "lab"\nmembers = ["192.0.2.0/24"]\n'
SOON = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
EXCEPTION = f'\n[[exceptions]]\nsubject = "ai"\nreason = "x"\nowner = "x"\nexpires = {SOON}\n'
EXPECTATION = '\n[[expectations]]\nname = "cohere.com"\nexpect = "{}"\nwhy = "B-12"\n'


@pytest.fixture(scope="module")
def api(site):
    with site.client(site.token("manage")) as found:
        yield found


def exported(api):
    return api.get(f"{V1}/policy/file").json()["text"]


def apply(api, text, **headers):
    return api.post(f"{V1}/policy/file/apply", json={"text": text}, headers=headers)


def test_file_is_planned_and_applied_and_comes_back(api):
    text = exported(api)
    wanted = text + STATEMENT + GROUP + EXPECTATION.format("monitor")
    plan = api.post(f"{V1}/policy/file/plan", json={"text": wanted}).json()
    assert [change["kind"] for change in plan["changes"]] == ["groups", "statements", "expectations"]
    assert plan["changes"][1]["after"]["subject"] == "vendor:cohere"
    assert plan["changes"][1]["before"] is None
    assert exported(api) == text
    done = apply(api, wanted)
    assert done.status_code == 200, done.text
    assert done.json()["result"]["changes"] == plan["changes"]
    assert api.get(f"{V1}/explain", params={"name": "cohere.com"}).json()["outcome"] == "MONITOR"
    (expected,) = api.get(f"{V1}/policy/expectations").json()["items"]
    assert (expected["name"], expected["expect"], expected["found"]) == ("cohere.com", "monitor", None)
    assert apply(api, exported(api)).json()["result"]["changes"] == []
    assert apply(api, text).status_code == 200
    assert exported(api) == text


def test_file_that_breaks_its_own_expectation_is_refused(api):
    text = exported(api)
    refused = apply(api, text + STATEMENT + EXPECTATION.format("block"))
    assert refused.status_code == 409
    assert "cohere.com A for a client in no group: block (B-12); found monitor" in refused.json()["detail"]
    assert exported(api) == text


def test_all_mistakes_of_a_file_are_told(api):
    refused = apply(api, '[[statements]]\nsubject = "vendor:cohre"\naction = "blok"\n')
    assert refused.status_code == 422
    assert "policy file: line 2: statements[1].subject" in refused.json()["detail"]
    assert "policy file: line 3: statements[1].action" in refused.json()["detail"]
    assert apply(api, "\x00 = [").status_code == 422
    assert apply(api, "x" * 250_001).status_code == 400


def test_nobody_overwrites_what_another_changed(api):
    shown = api.get(f"{V1}/policy/file")
    assert api.post(f"{V1}/policy/statements", json={"subject": "mistral", "action": "monitor"}).status_code == 201
    assert apply(api, shown.json()["text"], **{"If-Match": shown.headers["ETag"]}).status_code == 412
    now = api.get(f"{V1}/policy/file").headers["ETag"]
    assert apply(api, shown.json()["text"], **{"If-Match": now}).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "more", "status"),
    [
        (["manage:policy"], STATEMENT, 200),
        (["manage:policy"], GROUP, 403),
        (["manage:policy", "manage:groups"], GROUP, 200),
        (["manage:policy", "report"], GROUP, 403),
        (["manage:policy", "manage:groups"],
         EXCEPTION, 403),
    ],
    ids=["statement", "group", "group-with-its-scope", "group-with-another", "exception"],
)  # fmt: skip
def test_file_is_no_way_round_a_scope(site, api, scopes, more, status):
    text = exported(api)
    with site.client(site.token(*scopes)) as program:
        answer = apply(program, text + more)
    assert answer.status_code == status, answer.text
    assert apply(api, text).status_code == 200


def test_plan_tells_what_was_recorded_to_whoever_may_see_hits(site, api):
    with site.client(site.token("report:policy")) as program:
        plan = program.post(f"{V1}/policy/file/plan", json={"text": exported(api) + STATEMENT}).json()
    assert plan["impact"]
    assert "recorded" not in str(plan["impact"])


def test_alerts_and_receivers_are_told_without_secrets(site, api):
    assert api.get(f"{V1}/alerts").json() == {"items": [], "next": None}
    with site.state() as state:
        for number in range(5):
            AlertStore(state.store).put(Alert(0, 1_000 + number, "new-vendor", f"v{number}", "t", {}), 60)
    page = api.get(f"{V1}/alerts", params={"limit": 3}).json()
    assert [one["cause"] for one in page["items"]] == ["v4", "v3", "v2"]
    rest = api.get(f"{V1}/alerts", params={"limit": 3, "cursor": page["next"]}).json()
    assert ([one["cause"] for one in rest["items"]], rest["next"]) == (["v1", "v0"], None)
    (one,) = api.get(f"{V1}/receivers").json()["items"]
    assert (one["name"], one["target"], one["sent"]) == ("hook", "https://hook.example.org/…", None)
    with site.client(site.token("read")) as reader:
        told = reader.get(f"{V1}/settings").text
    assert "hook.example.org" in told
    assert "sesame" not in told


@pytest.mark.parametrize(
    ("scopes", "is_told"),
    [(["manage:policy"], False), (["report:policy", "manage:exceptions"], False), (["report"], True),
     (["manage:policy", "report:hits"], True)],
)  # fmt: skip
def test_preview_tells_what_was_recorded_to_whoever_may_see_hits(site, scopes, is_told):
    """A right about policy is none about people: neither how many asked, nor for which names."""
    at = int(time.time()) - 60
    row = HitRow(
        at // 60, "192.0.2.7", None, "secret-project.example.net", 1, "block", None, None, None, "ai", 3, at, at
    )
    with site.state() as state:
        Recorder(state.store, str).write(HitBatch("worker-0", 1, (row,), 0, ()))
    body = {"add": {"subject": "domain:secret-project.example.net", "action": "block"}}
    with site.client(site.token(*scopes)) as client:
        said = client.post(f"{V1}/policy/preview", json=body).json()["said"]
    text = "\n".join(said)
    assert ("1 client" in text) is is_told, text
    assert ("secret-project" in text) is is_told
    assert ("takes the right to report hits" in said[-1]) is not is_told
