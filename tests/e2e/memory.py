"""What processes of a server hold of memory and descriptors, from /proc."""

from pathlib import Path

from tests.e2e.running import Server


def rss_kib(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no VmRSS")


def rss_of(server: Server) -> dict[str, int]:
    """Return the resident memory of each process of a server in KiB."""
    return {name: rss_kib(pid) for name, pid in {"supervisor": server.process.pid, **server.pids()}.items()}


def descriptors(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def control_pid(server: Server) -> int | None:
    """Return the control process that runs now, ready or not."""
    parent = server.process.pid
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"sinkhole.app.control" in command:
            return int(pid)
    return None
