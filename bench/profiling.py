"""Where a worker's time goes, by workload: py-spy looks 200 times a second at the function that is being run.

It sees no function that is compiled, so the worker is interpreted.
"""

import re
import shutil
from collections import Counter
from pathlib import Path

from bench import generator, servers
from bench.call import Call
from bench.peers.peer import Peer
from bench.peers.sinkhole import Sinkhole, pids
from bench.queries import WORKLOADS
from bench.rounds import warm

UDP = ("blocked", "different", "cached", "mixed", "miss")
WHAT = "share of the worker's time"
SHOWN = 12


def profile(call: Call) -> None:
    """Run each workload once under the profiler; keep the functions in which most time is spent."""
    spy = shutil.which("py-spy")
    if spy is None:
        print("profile: skipped, py-spy is not installed (pip install py-spy)")
        return
    (server,) = call.start([Peer("profiled", None, "", Sinkhole(base=servers.INTERPRETED))])
    questions = call.questions()
    warm([server], questions)
    worker = next(pid for name, pid in pids(call.folder / "profiled").items() if name.startswith("worker"))
    for name in UDP:
        asked = questions.of(WORKLOADS[name])
        stacks = call.folder / f"{name}.stacks"
        command = [
            "taskset", "-c", servers.LOAD_CORE, spy, "record", "--nonblocking", "--function", "--format", "raw",
            "--rate", "200", "--duration", str(call.seconds), "--pid", str(worker), "--output", str(stacks),
        ]  # fmt: skip
        with servers.unpinned(command, call.folder / "spy.log") as watching:
            generator.run(server.port, asked, call.seconds, passes=1 if WORKLOADS[name].is_fresh else None)
            watching.wait(60)
        if not stacks.exists():
            raise SystemExit(f"profile: py-spy failed: {(call.folder / 'spy.log').read_text().strip()}")
        for function, share in most(stacks):
            call.add(WHAT, name, function, share * 100, "%")


def most(stacks: Path) -> list[tuple[str, float]]:
    """Return the innermost functions of stacks in py-spy's raw form, with their share, the largest first."""
    found: Counter[str] = Counter()
    for line in stacks.read_text().splitlines():
        frames, count = line.rsplit(" ", 1)
        found[_place(frames.rstrip("; ").rsplit(";", 1)[-1])] += int(count)
    return [(name, count / found.total()) for name, count in found.most_common(SHOWN)]


def _place(frame: str) -> str:
    """Return `package/module.py function` of `function (path/package/module.py)`."""
    parts = re.fullmatch(r"(.*) \((.*?)(:\d+)?\)", frame)
    if parts is None:
        return frame or "(unknown)"
    return f"{'/'.join(Path(parts[2]).parts[-2:])} {parts[1]}"
