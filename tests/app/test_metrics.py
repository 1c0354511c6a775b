"""Figures: valid OpenMetrics, labels of the configuration alone, true health; the dashboard names what exists."""

import json
import os
import re
import signal
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from bench.servers import free_port
from sinkhole.app.metrics import Tallies, resident_octets, store_families, worker_families
from sinkhole.app.openmetrics import Family, exposition
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.store.out_store import OutStore
from tests.e2e.conftest import TRUE_ADDRESS, UpstreamThread
from tests.e2e.running import running
from tests.fakes import FakeUpstream, answers
from tests.out.events import HOSTILE
from tests.store.rows import batch, row

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana.json"
WORKER = {
    "worker": "a", "slot": 0, "pid": 0, "generation": 3, "queries": 10, "packets": 4,
    "answers": {"blocked": 2, "packet-cache": 5}, "upstreams": [["udp://192.0.2.1:53", 3, 1, 0.25, False]],
}  # fmt: skip


def samples(text):
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in parse(text) for s in family.samples}


def test_any_label_is_valid():
    text = exposition(
        [Family("x", "gauge", 'a "help"\n\\', [({"feed": HOSTILE}, 1.5)]), Family("none", "counter", "", [])]
    )
    assert samples(text) == {("x", (("feed", HOSTILE),)): 1.5}


def test_workers_that_come_and_go_add_up():
    tallies = Tallies()
    tallies.note_workers([WORKER])
    tallies.note_workers([WORKER | {"queries": 25}])
    tallies.note_workers([])
    tallies.note_workers([WORKER | {"worker": "b", "queries": 5}])
    tallies.note_rows([row(count=4), row(action="monitor")])
    found = samples(exposition(tallies.families()))
    assert found["sinkhole_queries_total", ()] == 30
    assert found["sinkhole_answers_total", (("source", "blocked"),)] == 4
    assert found["sinkhole_upstream_wait_seconds_total", (("upstream", "udp://192.0.2.1:53"),)] == 0.5
    assert found["sinkhole_recorded_queries_total", (("action", "block"),)] == 4
    assert found["sinkhole_recorded_queries_total", (("action", "coach"),)] == 0
    assert found["sinkhole_recorded_rows_total", ()] == 2


def test_a_reload_shows_one_worker_a_slot():
    both = [WORKER, WORKER | {"worker": "b", "generation": 4, "upstreams": [["udp://192.0.2.1:53", 0, 9, 0, True]]}]
    found = samples(exposition(worker_families(both, 4)))
    assert found["sinkhole_workers", ()] == 1
    assert found["sinkhole_worker_policy_generation", (("worker", "0"),)] == 4
    assert found["sinkhole_upstream_up", (("upstream", "udp://192.0.2.1:53"),)] == 0


def test_memory_of_a_process_that_is_gone_is_not_told():
    assert resident_octets(2**22 + 1) == 0


async def store_text(folder):
    out = [{"name": "siem", "kind": "syslog", "target": "udp://192.0.2.9"}]
    keeper = StoreKeeper(Settings.model_validate({"server": {"data_dir": folder}, "out": out}))
    await keeper.record(batch(row(), dropped=3))
    await keeper.do(lambda state: OutStore(state.store).begin("siem", "hits"))
    await keeper.do(lambda state: OutStore(state.store).begin("gone", "hits"))
    await keeper.record(batch(row(name="b.example.org"), seq=2))
    text = exposition(await keeper.do(store_families))
    await keeper.close()
    return text


async def test_figures_of_the_store(folder):
    found = samples(await store_text(folder))
    label = (("receiver", "siem"), ("what", "hits"))
    assert found["sinkhole_dropped_queries_total", ()] == 3
    assert found["sinkhole_out_waiting_events", label] == 1
    assert found["sinkhole_out_failing", label] == 0
    assert found["sinkhole_feed_status", (("feed", "doh"), ("status", "new"))] == 1
    assert not [name for name, labels in found if ("receiver", "gone") in labels], "only those that are configured"


async def test_every_query_of_the_dashboard_names_a_figure_and_every_figure_is_in_it(folder):
    tallies = Tallies()
    tallies.note_workers([WORKER])
    text = exposition([*worker_families([WORKER], 3), *tallies.families()]) + await store_text(folder)
    there = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line.startswith("sinkhole")}
    there |= {"sinkhole_feed_fetch_age_seconds", "sinkhole_feed_content_age_seconds"}  # of feeds that were fetched
    board = json.loads(DASHBOARD.read_text())
    exprs = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    used = {name for expr in exprs for name in re.findall(r"\bsinkhole_\w+", expr)}
    assert used
    assert used <= there
    left = {"sinkhole_info", "sinkhole_recorded_rows_total", "sinkhole_feed_rules", "sinkhole_feed_content_age_seconds"}
    assert there - used == left
    labels = {label for expr in exprs for by in re.findall(r"by \(([\w, ]+)\)", expr) for label in by.split(", ")}
    assert labels <= {"instance", "source", "action", "feed", "status"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    port = free_port()
    config = folder / "c.toml"
    config.write_text(f'[metrics]\nlisten = ["127.0.0.1:{port}"]\n[feeds]\nsync = false\n')
    with (
        UpstreamThread(FakeUpstream(answers({("example.org", "A"): [TRUE_ADDRESS]}))) as fake,
        running(folder / "d", "--config", config, upstream=fake.port) as server,
    ):
        server.wait_for(r"metrics\.listening")
        yield server, f"http://127.0.0.1:{port}"


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode(), response.headers
    except HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_a_running_server_tells_its_figures_and_no_name_or_client(site):
    """R-A14: labels are of the configuration alone."""
    server, url = site
    server.wait_for(r"policy\.swapped|policy\.published generation=2")
    for name in ("chat.deepseek.com", "chat.deepseek.com", "chat.deepseek.com", "example.org"):
        server.ask(name)
    deadline = time.monotonic() + 15
    while True:
        status, text, headers = get(f"{url}/metrics")
        found = samples(text)
        if found["sinkhole_queries_total", ()] == 4:
            break
        assert time.monotonic() < deadline, text
        time.sleep(0.2)
    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert sum(value for (name, _), value in found.items() if name == "sinkhole_answers_total") == 4
    assert found["sinkhole_answers_total", (("source", "upstream"),)] == 1
    assert found["sinkhole_recorded_queries_total", (("action", "block"),)] == 3
    assert found["sinkhole_resident_memory_bytes", (("process", "worker-0"),)] > 10_000_000
    assert found["sinkhole_workers", ()] == 1
    assert "deepseek" not in text
    assert "127.0.0.1:5" not in re.sub(r'upstream="[^"]*"', "", text)


def test_health_is_alive_and_ready_and_nothing_else_is_served(site):
    """R-O05: ready when the store is open and a worker with a policy answers."""
    _, url = site
    assert get(f"{url}/healthz")[:2] == (200, "alive\n")
    assert get(f"{url}/readyz")[:2] == (200, "ready\n")
    assert get(f"{url}/")[0] == 404
    assert get(f"{url}/metrics/../etc/passwd")[0] == 404


def test_a_server_whose_worker_stands_still_is_not_ready(site):
    server, url = site
    worker = server.pids()["worker-0"]
    os.kill(worker, signal.SIGSTOP)
    try:
        assert get(f"{url}/readyz")[:2] == (503, "no worker answers\n")
        assert get(f"{url}/healthz")[0] == 200
    finally:
        os.kill(worker, signal.SIGCONT)
