"""The block page of a running server: it says what is answered, one goes on and asks, its death touches no answer."""

import html
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import NAMES, TRUE_ADDRESS, UpstreamThread
from tests.e2e.running import HOST, Server, sinkhole_json
from tests.e2e.test_overrides import addresses_for, end_in
from tests.fakes import FakeUpstream, answers

CONFIG = """
[feeds]
sync = false
[blocking]
ipv4 = "127.0.0.1"
organisation = "Example Works"
[block_page]
enabled = true
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
[clients]
leases = ["{leases}"]
"""
NAME, COACHED = "chat.deepseek.com", "api.mistral.ai"
SINKHOLE, TRUE = [HOST], [TRUE_ADDRESS]
LEASES = "4102444800 02:00:00:00:00:07 127.0.0.1 pc7 *\n4102444800 02:00:00:00:00:07 127.0.0.9 pc7 *\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Server]:
    """A server with a block page; DeepSeek is blocked and Mistral coached. `page.places` has the ports."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "leases").write_text(LEASES)
    config = folder / "sinkhole.toml"
    config.write_text(CONFIG.format(leases=folder / "leases"))
    with UpstreamThread(FakeUpstream(answers(NAMES | {("alias.example.org", "CNAME"): [NAME]}))) as fake:
        found = Server(folder / "data", "--config", config, upstream=fake.port)
        found.config = config
        found.start()
        found.cli("policy", "block", "deepseek", "--reason", "Data stays here", "--owner", "Data office")
        found.cli("policy", "coach", "mistral", "--reason", "Read me first")
        yield found
        assert found.stop() == 0
        assert not re.search(r"process\.killed process=page|page\.failed|page\.job_failed", found.log)


def port_of(server: Server, scheme: str) -> int:
    server.wait_for(r"page\.listening")
    return int(re.findall(rf"page\.listening at=\S*?.*{scheme}://127\.0\.0\.1:(\d+)", server.log)[-1])


def ask(server: Server, name: str, path: str = "/", fields: dict[str, str] | None = None) -> tuple[int, str]:
    """Open a name as a browser that was led to the page, or send it a form."""
    connection = http.client.HTTPConnection(HOST, port_of(server, "http"), timeout=10)
    headers = {"Host": name, "Accept": "text/html"}
    if fields is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", path, urlencode(fields), headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def heading(text: str) -> str:
    return html.unescape(re.search(r"<h1>(.*?)</h1>", text)[1])


def hidden(text: str, form: str) -> dict[str, str]:
    found = re.search(rf'action="/\.sinkhole/{form}">(.*?)</form>', text, re.DOTALL)[1]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found))


def from_other(server: Server, name: str) -> list[str]:
    return addresses_for(server, "127.0.0.9", name)


def test_page_says_what_dns_answers(page):
    assert page.addresses(NAME) == SINKHOLE
    status, text = ask(page, NAME)
    assert (status, heading(text)) == (403, f"{NAME} is blocked")
    for words in ("Example Works · Data office", "Vendor DeepSeek: blocked for everyone", "Data stays here"):
        assert words in text
    assert (ask(page, "example.org")[0], page.addresses("example.org")) == (503, TRUE)
    assert page.addresses("alias.example.org") == SINKHOLE
    assert "leads to chat.deepseek.com" in ask(page, "alias.example.org")[1]


def test_reading_the_notice_opens_the_name_for_all_addresses_of_the_machine_until_it_ends(page):
    assert (page.addresses(COACHED), from_other(page, COACHED)) == (SINKHOLE, SINKHOLE)
    _, text = ask(page, COACHED)
    assert "Read me first" in text
    status, text = ask(page, COACHED, "/.sinkhole/continue", hidden(text, "continue"))
    assert (status, heading(text)[:17]) == (200, "You may go on unt")
    assert (page.addresses(COACHED), from_other(page, COACHED)) == (TRUE, TRUE)
    assert heading(ask(page, COACHED)[1]) == f"{COACHED} is not blocked for you"
    assert page.addresses(NAME) == SINKHOLE
    grants = sinkhole_json("coach", "grants", data_dir=page.data_dir)
    assert len(grants) == 2
    for grant in grants:
        page.cli("coach", "end", str(grant["id"]))
    assert (page.addresses(COACHED), from_other(page, COACHED)) == (SINKHOLE, SINKHOLE)
    assert ask(page, COACHED)[0] == 403


def test_grant_ends_by_itself(page):
    _, text = ask(page, COACHED)
    ask(page, COACHED, "/.sinkhole/continue", hidden(text, "continue"))
    assert page.addresses(COACHED) == TRUE
    ends = end_in(page, 2)
    time.sleep(max(0.0, ends - time.time()) + 0.1)
    assert page.addresses(COACHED) == SINKHOLE
    assert heading(ask(page, COACHED)[1]).startswith("Please read this")


def test_request_becomes_an_exception_and_its_reference_leads_to_the_hit(page):
    page.addresses(NAME)
    _, text = ask(page, NAME)
    (reference,) = re.findall(r"<code>(.*?)</code>", text)
    fields = hidden(text, "request") | {"reason": "a paper", "days": "7"}
    status, text = ask(page, NAME, "/.sinkhole/request", fields)
    assert (status, "Your request has number 1." in text) == (200, True)
    (wanted,) = sinkhole_json("exception", "list", data_dir=page.data_dir)
    assert (wanted["state"], wanted["subject"], wanted["client"]) == ("requested", "product:deepseek/chat", HOST)
    assert (wanted["reason"], wanted["owner"]) == ("a paper", "pc7")
    assert page.addresses(NAME) == SINKHOLE
    deadline = time.monotonic() + 5
    while (found := page.cli("hits", "find", wanted["ticket"], check=False)).returncode and time.monotonic() < deadline:
        time.sleep(0.2)
    assert f"{HOST} (pc7)  {NAME} A" in found.stdout or f"{HOST}  {NAME} A" in found.stdout
    assert reference[6:] == wanted["ticket"][6:]
    page.cli("exception", "approve", "1")
    assert page.addresses(NAME) == TRUE
    assert ask(page, NAME)[0] == 503
    page.cli("exception", "revoke", "1")
    assert page.addresses(NAME) == SINKHOLE


def test_https_is_refused_until_there_is_an_authority_and_then_is_the_page(page, tmp_path):
    port = port_of(page, "https")
    with pytest.raises(OSError):  # noqa: PT011 - a reset, or the end of the connection
        open_over_tls(port, NAME, ssl.create_default_context())
    page.cli("ca", "init")
    page.cli("ca", "export", "-o", tmp_path / "ca.pem")
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    assert heading(once_taken(port, NAME, context)) == f"{NAME} is blocked"
    for name in ("example.org", "bank.example"):
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            open_over_tls(port, name, context)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{HOST}:{port}", "-servername", NAME, "-verify_return_error", "-CAfile",
         tmp_path / "ca.pem"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert "Verify return code: 0 (ok)" in done.stdout


def once_taken(port: int, name: str, context: ssl.SSLContext) -> str:
    """Open a name as soon as the page has taken its authority, for which it looks once a second."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return open_over_tls(port, name, context)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def open_over_tls(port: int, name: str, context: ssl.SSLContext) -> str:
    with socket.create_connection((HOST, port), 5) as plain, context.wrap_socket(plain, server_hostname=name) as sock:
        sock.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nAccept: text/html\r\n\r\n".encode())
        found = b""
        while part := sock.recv(65_536):
            found += part
    return found.decode()


def test_death_of_the_page_touches_no_answer_and_it_comes_back(page):
    before = page.pids()["page"]
    start = len(page.log)
    os.kill(before, signal.SIGKILL)
    for number in range(50):
        assert page.addresses(NAME) == SINKHOLE, number
    page.wait_for(r"process\.ready process=page", start=start)
    assert ask(page, NAME)[0] == 403
    assert not re.search(r"process\.died process=(worker|control)", page.log)
    assert page.cli("doctor", "--only", "page", "--config", page.config, check=False).returncode in (0, 1)


def test_reload_turns_the_page_off_and_on(page):
    start = len(page.log)
    page.config.write_text(page.config.read_text().replace("enabled = true", "enabled = false"))
    page.process.send_signal(signal.SIGHUP)
    page.wait_for(r"process\.ready process=control", start=start)
    assert "process=page" not in page.log[start:]
    with pytest.raises(OSError):  # noqa: PT011 - refused, since nobody listens
        ask(page, NAME)
    assert page.addresses(NAME) == SINKHOLE
    start = len(page.log)
    page.config.write_text(page.config.read_text().replace("enabled = false", "enabled = true"))
    page.process.send_signal(signal.SIGHUP)
    page.wait_for(r"page\.listening", start=start)
    assert ask(page, NAME)[0] == 403
