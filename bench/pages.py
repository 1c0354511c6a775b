"""`python -m bench.pages FOLDER`: how long every page and every GET of the API takes, over a folder of `bench.seed`.

    python -m bench.seed /tmp/five-million --rows 5000000
    python -m bench.pages /tmp/five-million --json pages.json

A real server runs on the folder, with a worker; an account is made for the time, and logs in. `cold` is the first
request of a route, the others follow. Then questions are asked at a steady rate (`bench.arrivals`), while nothing else
runs and while the heaviest route is asked for again and again: the 99th percentile of answers must not move. The
questions come from core 1. The server is first where the system puts it, then with all its processes on core 0; an
Unbound beside the same requests, in turn with it, shows what the machine adds. Fails (status 1) if the median of a
route is above the bound.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from bench import servers
from bench.arrivals import Arrivals, arrivals
from bench.call import start_authority
from bench.peers import unbound
from bench.peers.peer import Peer, Running, running
from bench.peers.sinkhole import pids_in, pin
from bench.proc import cpu_seconds
from sinkhole.app.accounts import SETUP
from sinkhole.web.api.table import ROUTES
from sinkhole.web.pages.table import PAGES
from sinkhole.web.route import Kind

BOUND_MS = 100.0
ROUNDS = 20
RATE = 2_000
"""Questions a second: half a per cent of a core is the report's business then, and not the load's."""
SETTLED = 5.0
"""Seconds after the start: the first pages are counted ahead in the first of them, which is none of theirs to bear."""
SECONDS = 5
TURNS = 5
API = "/api/v1"
PLACES = {
    "vendor": "openai", "client": "10.20.0.10", "group": "engineering", "domain": "ai-1-chat.example",
    "feed": "v2fly-ai", "number": "1",
}  # fmt: skip
"""What stands for a part of a path; a route whose part is not here, or is not found, is named and passed over."""
MORE = (
    "/api/v1/reports/vendors?since={days90}", "/api/v1/reports/clients?since={days90}",
    *(f"/api/v1/hits/top?by={by}" for by in ("product", "client", "group", "name", "feed", "subject", "category",
      "jurisdiction")),
    "/api/v1/hits?since={days30}", "/api/v1/hits?limit=500&since={days90}", "/api/v1/discover?limit=500",
    "/api/v1/catalogue/search?text=chat", "/api/v1/explain?name=chat.deepseek.com&client=10.20.0.10",
    "/explain?name=chat.deepseek.com",
)  # fmt: skip
"""Requests with a query, beside the paths alone."""
_ASKS_UPSTREAM = ("/doctor",)
"""What waits for the network, and is not measured."""


@dataclass(frozen=True, slots=True)
class Timed:
    """How long a request took: the first, and of the others the median and the 95th percentile, in milliseconds.

    `cpu_ms` is the processor time of the control process for one of the others: what is left of it beside other work.
    """

    path: str
    status: int
    octets: int
    cold_ms: float
    median_ms: float
    p95_ms: float
    cpu_ms: float


class Browser:
    """One connection, logged in."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self._connection = http.client.HTTPConnection(servers.HOST, port, timeout=60)
        self._headers = {"Origin": f"http://{servers.HOST}:{port}", "Host": f"{servers.HOST}:{port}"}
        body = json.dumps({"name": name, "password": password})
        headers = self._headers | {"Content-Type": "application/json"}
        self._connection.request("POST", f"{API}/session", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 204:
            raise SystemExit(f"log in: status {answer.status}")
        self._headers["Cookie"] = (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def get(self, path: str) -> tuple[int, int, float]:
        """Return status, octets and milliseconds of a request."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        octets = len(answer.read())
        return answer.status, octets, (time.perf_counter() - began) * 1000


def paths() -> Iterator[str]:
    """Yield every page and every GET of the API, with something in place of the parts of its path."""
    for base, routes in (("", PAGES), (API, ROUTES)):
        for route in routes:
            is_open = getattr(route, "kind", None) is Kind.LIVE or route.path.startswith(SETUP)
            if route.method != "GET" or is_open or route.path in _ASKS_UPSTREAM:
                continue
            try:
                yield base + route.path.format(**{name: quote(text) for name, text in PLACES.items()})
            except KeyError as error:
                print(f"{route.path}: passed over, nothing stands for {error}")
    now = int(time.time())
    for path in MORE:
        yield path.format(**{f"days{n}": _utc(now - n * 86_400) for n in (30, 90)})


def _utc(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def measure(browser: Browser, path: str, rounds: int, control: int) -> Timed:
    """Time one request, again and again; `control` is the process that answers."""
    status, octets, cold = browser.get(path)
    before = cpu_seconds(control)
    warm = sorted(browser.get(path)[2] for _ in range(rounds))
    cpu = (cpu_seconds(control) - before) / rounds * 1000
    p95 = warm[min(len(warm) - 1, round(len(warm) * 0.95))]
    return Timed(path, status, octets, cold, statistics.median(warm), p95, cpu)


@contextmanager
def serving(data: Path, scratch: Path, upstream: int) -> Iterator[tuple[int, int, str, str]]:
    """Run a server on a data folder; give its ports for DNS and the admin side, and an account there is meanwhile."""
    dns, admin = servers.free_port(), servers.free_port()
    config = scratch / "sinkhole.toml"
    config.write_text(
        f"feeds.sync = false\n[record]\ndays = 3650\nmax_mib = 100000\n[server]\nworkers = 1\n"
        f'listen = ["127.0.0.1:{dns}"]\n[upstream]\nservers = ["udp://127.0.0.1:{upstream}"]\n'
        f'[admin]\nenabled = true\nlisten = ["127.0.0.1:{admin}"]\n'
    )
    place = ["--data-dir", str(data), "--config", str(config)]
    name, password = f"bench-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    _run("admin", "create", name, "--password-stdin", *place, said=password)
    try:
        with servers.unpinned([*servers.INSTALLED, "serve", *place], scratch / "sinkhole.log"):
            servers.wait_for_answer(dns, "chat.deepseek.com", "0.0.0.0")
            _wait_for_admin(scratch / "sinkhole.log")
            yield dns, admin, name, password
    finally:
        _run("admin", "remove", name, *place)


def _run(*words: str, said: str = "") -> None:
    command, env = [*servers.INSTALLED, *words], servers.environment()
    done = subprocess.run(command, input=said + "\n", capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise SystemExit(f"sinkhole {' '.join(words)}: {done.stdout}{done.stderr}")


def _wait_for_admin(log: Path) -> None:
    deadline = time.monotonic() + 30
    while "admin.ready" not in (said := log.read_text()):
        if time.monotonic() > deadline:
            raise SystemExit(f"the admin side is not ready: {said}")
        time.sleep(0.05)


@contextmanager
def asking(browser: Browser, path: str) -> Iterator[list[float]]:
    """Ask for one path without a pause meanwhile; give the milliseconds of the requests that are done."""
    is_over, took = threading.Event(), []

    def ask() -> None:
        while not is_over.is_set():
            took.append(browser.get(path)[2])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        is_over.set()
        thread.join()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and fail where a page takes too long."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__, formatter_class=form)
    parser.add_argument("folder", type=Path, help="made by bench.seed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"warm requests of each ({ROUNDS})")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N", help=f"of questions ({SECONDS}); 0: none")
    parser.add_argument("--only", default="", metavar="TEXT", help="only paths that contain it")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    if not (options.folder / "store.db").is_file():
        parser.error(f"{options.folder}: there is no store; python -m bench.seed makes one")
    with tempfile.TemporaryDirectory(prefix="sinkhole-pages-") as name, ExitStack() as stack:
        scratch = Path(name)
        upstream = start_authority(scratch, stack)
        dns, admin, account, password = stack.enter_context(serving(options.folder.resolve(), scratch, upstream))
        browser = Browser(admin, account, password)
        time.sleep(SETTLED)
        pids = pids_in((scratch / "sinkhole.log").read_text())
        found = []
        for path in paths():
            if options.only in path:
                found.append(one := measure(browser, path, options.rounds, pids["control"]))
                print(_line(one), flush=True)
        told: dict[str, object] = {"timed": [asdict(one) for one in found]}
        if options.seconds:
            heaviest = max(found, key=lambda one: one.median_ms).path
            with _unbound(scratch, upstream) as other:
                ports = {"sinkhole": dns} | ({"unbound": other.port} if other else {})
                all_pids = [*pids.values(), *([other.pid] if other else [])]
                told["dns"] = _beside(browser, heaviest, ports, options.seconds, all_pids)
    if options.json:
        options.json.write_text(json.dumps(told, indent=1))
    slow = [one for one in found if one.median_ms > BOUND_MS and one.status == 200]
    print(f"{len(found)} requests, {len(slow)} above {BOUND_MS:g} ms: {', '.join(one.path for one in slow) or 'none'}")
    if slow:
        sys.exit(1)


def _line(one: Timed) -> str:
    return (
        f"{one.path:58.58} {one.status} {one.octets:>8,} octets  cold {one.cold_ms:7.1f}  "
        f"median {one.median_ms:7.1f}  p95 {one.p95_ms:7.1f}  cpu {one.cpu_ms:7.1f} ms"
    )


def _spread(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):.3f} ({min(figures):.3f} to {max(figures):.3f})"


def _beside(
    browser: Browser, path: str, ports: Mapping[str, int], seconds: int, pids: Collection[int]
) -> list[dict[str, object]]:
    """Measure answers alone and beside requests for a path, in turn: on all cores, then with all processes on one."""
    told: list[dict[str, object]] = []
    for where in (None, servers.SERVER_CORE):
        for pid in pids if where else ():
            pin(pid, where)
        took: dict[str, list[tuple[Arrivals, Arrivals]]] = {server: [] for server in ports}
        for _ in range(TURNS):
            for server, port in ports.items():
                alone = arrivals(port, RATE, seconds)
                with asking(browser, path):
                    took[server].append((alone, arrivals(port, RATE, seconds)))
        for server, turns in took.items():
            alone, beside = ([one.p99_ms for one in some] for some in zip(*turns, strict=True))
            print(
                f"{server} on {f'core {where}' if where else 'all cores'} at {RATE:,}/s: 99th percentile "
                f"alone {_spread(alone)} ms, beside {path} {_spread(beside)} ms",
                flush=True,
            )
            told += [
                {"server": server, "path": path, "core": where, "alone": asdict(alone), "beside": asdict(beside)}
                for alone, beside in turns
            ]
    return told


@contextmanager
def _unbound(scratch: Path, upstream: int) -> Iterator[Running | None]:
    """Run an Unbound where the system puts it, if there is one: what such pages do to a server that is none of ours."""
    peer = Peer("unbound", "unbound", "unbound", unbound.local_zones, core=f"0-{max(1, (os.cpu_count() or 1) - 1)}")
    if not peer.is_here():
        print("unbound: skipped, it is not here")
        yield None
        return
    with running(peer, scratch / "unbound", ["mistral.ai"], upstream) as one:
        yield one


if __name__ == "__main__":
    main()
