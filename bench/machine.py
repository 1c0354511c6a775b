"""What a call ran on: processor, kernel, and the versions of all that was compared."""

import datetime
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench import servers
from bench.generator import OUTSTANDING
from bench.peers.peer import Peer
from bench.results import Session


def describe(peers: Iterable[Peer], names: int, seconds: int) -> Session:
    """Return the session that begins now."""
    now = datetime.datetime.now(datetime.UTC)
    packages = sorted({peer.package for peer in peers if peer.package} | {"dnsperf"})
    versions = {package: version_of(package) for package in packages}
    versions["python"] = platform.python_version()
    versions["sinkhole"] = servers.installed_code()
    when = now.strftime("%Y-%m-%d %H:%M UTC")
    return Session(
        f"{now:%Y%m%dT%H%M%S}-{os.getpid()}", when, commit(), machine(), versions, names, seconds, int(OUTSTANDING)
    )


def machine() -> str:
    """Return processor, number of cores, kernel, and the distribution that peers and Python are of."""
    processor = _processor("model name") or platform.machine()
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = "a system without os-release"
    return f"{processor}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, {system}"


def maker() -> str:
    """Return who made the processor, as it calls itself; `unknown` where it does not."""
    return re.sub(r"\W", "", _processor("vendor_id")) or "unknown"


def _processor(field: str) -> str:
    """Return what the kernel tells of the first processor; empty where it does not."""
    found = re.search(rf"(?m)^{field}\s*:(.*)", Path("/proc/cpuinfo").read_text())
    return found[1].strip() if found else ""


def version_of(package: str) -> str:
    """Return the version of a Debian package, or `unknown`."""
    return _said(["dpkg-query", "-W", "-f", "${Version}", package]) or "unknown"


def commit() -> str:
    """Return the short name of the commit that last changed what is measured; `+` says that files differ from it."""
    place = "../sinkhole"
    head = _said(["git", "log", "-1", "--format=%h", "--", place])
    if not head:
        return "unknown"
    return head + ("+" if _said(["git", "status", "--porcelain", "--untracked-files=no", "--", place]) else "")


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def cores() -> int:
    """Return how many cores we may use."""
    return len(os.sched_getaffinity(0))


def require_two_cores() -> None:
    """Refuse a machine on which server and load would share a core."""
    if cores() < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    if not sys.platform.startswith("linux"):
        raise SystemExit("the benchmarks pin processes and read /proc: they need Linux")
