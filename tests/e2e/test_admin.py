"""The admin side of a real server: made an account, logged in with curl, a vendor blocked, and dig sees it."""

import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import TRUE_ADDRESS
from tests.e2e.running import running

PASSWORD = "correct horse battery"
VENDOR = "api.mistral.ai"


@contextmanager
def serving(folder, world):
    """Give a server with its admin side on a port of the system's choice, where that is, and a jar for cookies."""
    environment = {"SINKHOLE_ADMIN_ENABLED": "true", "SINKHOLE_ADMIN_LISTEN": "127.0.0.1:0"}
    with running(folder / "data", upstream=world.port, environment=environment) as server:
        url = "http://" + server.wait_for(r"admin\.ready listen=(\S+)")[1]
        yield server, url, folder / "jar"


@pytest.fixture(scope="module")
def served(tmp_path_factory, world):
    with serving(tmp_path_factory.mktemp("admin"), world) as found:
        yield found


@pytest.fixture
def own_served(tmp_path, world):
    """As `served`, for one test: those that run alone come behind the others, which end the server of this file."""
    with serving(tmp_path, world) as found:
        yield found


def curl(url, path, *words, jar=None):
    cookies = ["-b", str(jar), "-c", str(jar)] if jar else []
    done = subprocess.run(
        ["curl", "-s", "-m", "20", "-w", "\n%{http_code}", *cookies, "-H", f"Origin: {url}", *words, url + path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def post(url, path, body, jar):
    return curl(url, path, "-H", "Content-Type: application/json", "-d", json.dumps(body), jar=jar)


def dig(server):
    done = subprocess.run(
        ["dig", "+short", "+tries=1", "@127.0.0.1", "-p", str(server.port), VENDOR], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_first_start_tells_a_link_that_makes_the_first_account(served):
    server, url, _ = served
    path = server.wait_for(r"admin\.first_link url=http://127\.0\.0\.1:\d+(/setup/\S+)")[1]
    form = ["--data-urlencode", "name=first", "--data-urlencode", f"password={PASSWORD}", "--data-urlencode",
            f"again={PASSWORD}"]  # fmt: skip
    assert curl(url, path, *form)[0] == 303
    assert curl(url, path, *form)[0] == 404
    assert json.loads(server.cli("admin", "list", "--json").stdout)[0]["account"] == "first"


@pytest.mark.alone
def test_block_a_vendor_and_dig_sees_it_within_a_second(own_served):
    server, url, jar = own_served
    made = subprocess.run(
        [*server._command[:3], "admin", "create", "alice", "--password-stdin", "--data-dir", str(server.data_dir)],
        input=PASSWORD + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert post(url, "/api/v1/session", {"name": "alice", "password": "wrong password 1"}, jar)[0] == 401
    assert post(url, "/api/v1/session", {"name": "alice", "password": PASSWORD}, jar)[0] == 204
    allowed = post(url, "/api/v1/policy/statements", {"subject": "mistral", "action": "allow"}, jar)
    assert allowed[0] == 201, allowed
    assert dig(server) == [TRUE_ADDRESS]
    began = time.monotonic()
    status, body = post(url, "/api/v1/policy/statements", {"subject": "mistral", "action": "block"}, jar)
    assert (status, json.loads(body)["in_force"]) == (201, True)
    assert dig(server) == ["0.0.0.0"]
    assert time.monotonic() - began < 2.0  # a second where nothing else runs
    (entry, *_) = json.loads(server.cli("audit", "list", "mistral", "--json").stdout)
    assert (entry["who"], entry["origin"]) == ("admin alice", "web from 127.0.0.1")


def test_many_changes_at_once_leave_the_store_whole(served):
    """The control process has the store open for the hits meanwhile, and the command line in another process."""
    server, url, jar = served
    log_in = {"name": "first", "password": PASSWORD}
    assert post(url, "/api/v1/session", log_in, jar)[0] == 204
    running = []
    for number in range(12):
        body = json.dumps({"subject": f"domain:n{number}.example", "action": "monitor"})
        running.append(
            subprocess.Popen(
                ["curl", "-s", "-m", "30", "-o", "/dev/null", "-w", "%{http_code}", "-b", str(jar), "-H",
                 f"Origin: {url}", "-H", "Content-Type: application/json", "-d", body,
                 f"{url}/api/v1/policy/statements"],
                stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        server.ask(f"n{number}.deepseek.com")
        if number % 4 == 0:
            server.cli("policy", "monitor", f"domain:c{number}.example")
    codes = [process.communicate()[0] for process in running]
    assert set(codes) <= {"201", "503"}, codes
    assert codes.count("201") >= 8
    assert json.loads(server.cli("audit", "verify", "--json").stdout)["whole"] is True
    assert "store.failed" not in server.log


def test_fault_of_the_control_process_ends_no_answer_and_the_admin_side_comes_back(served):
    server, _, jar = served
    said = len(server.log)
    os.kill(server.pids()["control"], signal.SIGKILL)
    assert dig(server) == ["0.0.0.0"]
    listen = server.wait_for(r"admin\.ready listen=(\S+)", 15, start=said)[1]
    assert re.fullmatch(r"127\.0\.0\.1:\d+", listen)
    assert curl(f"http://{listen}", "/api/v1/session", jar=jar)[0] == 200, "a session outlives the process"


def test_stop_is_quick_while_somebody_listens(served):
    server, _, jar = served
    listen = re.findall(r"admin\.ready listen=(\S+)", server.log)[-1]
    listener = subprocess.Popen(
        ["curl", "-s", "-N", "-b", str(jar), f"http://{listen}/api/v1/hits/live"], stdout=subprocess.PIPE
    )
    assert listener.stdout is not None
    assert listener.stdout.readline() == b"retry: 3000\n"
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 4.5
    assert "clean=True" in server.log
    assert listener.wait(5) in (0, 18)
    listener.stdout.close()
