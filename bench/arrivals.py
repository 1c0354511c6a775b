"""How long answers take at a steady rate, by the kernel's clock; `arrivals.c` says how."""

import json
import subprocess
from dataclasses import dataclass

from bench import servers
from bench.native import compiled


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Milliseconds until answers were there (`seen`: until the client had them), and how many questions had one."""

    p50_ms: float
    p99_ms: float
    p999_ms: float
    seen_p99_ms: float
    answered: int
    lost: int


def arrivals(port: int, rate: int, seconds: float) -> Arrivals:
    """Ask for so long, from the core of the load.

    Raises:
        SystemExit: there is no compiler, or no answer.
    """
    program = compiled("arrivals")
    if program is None:
        raise SystemExit("arrivals: needs a C compiler (gcc, libc6-dev)")
    command = ["taskset", "-c", servers.LOAD_CORE, str(program), str(port), str(rate), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"arrivals: {done.stderr.strip()}")
    return Arrivals(**json.loads(done.stdout))
