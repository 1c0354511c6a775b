"""One server with something recorded, and one browser for all: Debian's Chromium, driven by Playwright."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bench.seed import seed
from tests.e2e.conftest import NAMES, UpstreamThread
from tests.e2e.running import HOST, Server, clean_environment
from tests.fakes import FakeUpstream, answers

CHROMIUM = shutil.which("chromium")
try:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
except ImportError:
    pytest.skip("needs playwright (the extra `test`)", allow_module_level=True)

ACCOUNT, PASSWORD = "m.weber", "correct horse battery"
BLOCKED, COACHED, ALLOWED = "chat.deepseek.com", "api.openai.com", "api.mistral.ai"
CONFIG = """
feeds.sync = false
[record]
days = 3650
[blocking]
ipv4 = "127.0.0.1"
organisation = "Example Works"
[block_page]
enabled = true
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
"""
_ADMIN = {"SINKHOLE_ADMIN_ENABLED": "true", "SINKHOLE_ADMIN_LISTEN": f"{HOST}:0"}
PICTURES = os.environ.get("SINKHOLE_SCREENSHOTS")
"""Folder for pictures of the pages, which show a larger network; None: none are taken."""
NARROW, WIDE = 390, 1280
THEMES = ("light", "dark")
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@dataclass
class Installation:
    """The server, where its pages are, and the first client that has something recorded."""

    server: Server
    url: str
    ports: dict[str, int]
    authority: Path
    folder: Path

    def dig(self, name: str, client: str = HOST) -> list[str]:
        """Ask for a name, as a client does."""
        where = ["-b", client, f"@{HOST}", "-p", str(self.server.port)]
        done = subprocess.run(
            ["dig", "+short", "+tries=1", *where, name], capture_output=True, text=True, check=True
        )  # fmt: skip
        return done.stdout.split()

    def mapped(self) -> str:
        """Return the rule by which a browser finds each blocked name where its block page is served."""
        pairs = ((80, "http"), (443, "https"))
        rules = [f"MAP {name}:{port} {HOST}:{self.ports[way]}" for name in (BLOCKED, COACHED) for port, way in pairs]
        return f"--host-resolver-rules={','.join(rules)}"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server with 60 clients of which 8 days are recorded, a dashboard, a block page and an authority."""
    if CHROMIUM is None:
        pytest.skip("needs a browser (Debian package chromium)")
    folder = tmp_path_factory.mktemp("dashboard")
    config = folder / "sinkhole.toml"
    config.write_text(CONFIG)
    (folder / "data").mkdir()
    if PICTURES is None:
        seed(folder / "data", rows=2_500, days=8, clients=60, is_summed=False)
    else:
        seed(folder / "data", rows=40_000, days=60, clients=200)
    lists = folder / "data" / "lists"
    lists.mkdir(exist_ok=True)
    (lists / "own.txt").write_text("ads.example\ntracker.example\nnot a name\n")
    with UpstreamThread(FakeUpstream(answers(NAMES))) as fake:
        server = Server(folder / "data", "--config", config, upstream=fake.port, environment=_ADMIN)
        server.cli("policy", "allow", "mistral", "--reason", "On trial", "--config", config)
        server.cli("feeds", "add", "file:own.txt", "--name", "own", "--format", "domains", "--config", config)
        server.cli("sync", "own", "--config", config)
        server.cli("ca", "init", "--config", config)
        server.cli("ca", "export", "-o", folder / "ca.pem", "--config", config)
        subprocess.run(
            [*server._command[:3], "admin", "create", ACCOUNT, "--password-stdin", "--data-dir", folder / "data"],
            input=PASSWORD + "\n", text=True, check=True, capture_output=True, env=clean_environment(),
        )  # fmt: skip
        server.start()
        try:
            yield _found(server, folder)
        finally:
            status = server.stop()
        assert status == 0


def _found(server: Server, folder: Path) -> Installation:
    url = "http://" + server.wait_for(r"admin\.ready listen=(\S+)")[1]
    listening = server.wait_for(r"page\.listening at=(.*)")[1]
    ports = {way: int(listening.partition(f"{way}://{HOST}:")[2].split()[0].strip('",')) for way in ("http", "https")}
    return Installation(server, url, ports, folder / "ca.pem", folder)


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    """The driver of the browsers; its event loop runs until it ends, and other modules have loops of their own."""
    with sync_playwright() as found:
        yield found


def launch(driver: Any, home: Path, *words: str) -> Browser:
    """Start a browser with a home folder of its own, where its certificates are."""
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    browser: Browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*_QUIET, *words], env=environment)
    return browser


@pytest.fixture(scope="module")
def browser(driver: Any, installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that trusts the authority of the installation, as one on which an administrator installed it."""
    home = tmp_path_factory.mktemp("home")
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    if shutil.which("certutil") is None:
        pytest.skip("needs certutil (Debian package libnss3-tools)")
    for words in (["-N", "--empty-password"], ["-A", "-n", "sinkhole", "-t", "C,,", "-i", str(installation.authority)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True)
    found = launch(driver, home, installation.mapped())
    yield found
    found.close()


@dataclass
class Opened:
    """A page of somebody who is logged in, and what its console and its scripts complained of."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to the console."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def goto(self, path: str) -> Page:
        """Open a path; it must be there."""
        answer = self.page.goto(self.url + path, wait_until="load")
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page


@pytest.fixture(scope="module")
def session(browser: Browser, installation: Installation) -> Any:
    """Log in by the form, once; return the state of the browser then."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(installation.url + "/policy")
    page.get_by_label("Name", exact=True).fill(ACCOUNT)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(installation.url + "/policy")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def context(browser: Browser, session: Any) -> Iterator[BrowserContext]:
    """What the pages of somebody who is logged in share."""
    found = browser.new_context(storage_state=session, reduced_motion="reduce", viewport={"width": WIDE, "height": 900})
    found.set_default_timeout(15_000)
    yield found
    found.close()


@pytest.fixture
def opened(context: BrowserContext, installation: Installation) -> Iterator[Opened]:
    """A page, wide and light at first; at the end its console must have said nothing."""
    found = Opened(context.new_page(), installation.url)
    yield found
    found.page.close()
    assert found.complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that looks for what people with disabilities would stumble over (axe-core, MPL-2.0)."""
    return (files("axe_playwright_python") / "axe.min.js").read_text()


def soon(is_so: Any, seconds: float = 5.0) -> bool:
    """Return whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
