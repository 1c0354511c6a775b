"""How long answers take at a steady rate, by the kernel's clock; `arrivals.c` says how."""

import json
from dataclasses import dataclass

from bench import generator
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
    said = generator.said_by([str(program), str(port), str(rate), str(seconds)], seconds)
    return Arrivals(**json.loads(said))
