"""How long answers take at a steady rate, by the kernel's clock; `arrivals.c` says how."""

import json
from dataclasses import dataclass
from pathlib import Path

from bench import generator
from bench.native import compiled


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Milliseconds until answers were there (`seen`: until the client had them), and how many questions had one.

    `refused` are the answers with a code other than NOERROR.
    """

    p50_ms: float
    p99_ms: float
    p999_ms: float
    seen_p99_ms: float
    answered: int
    lost: int
    refused: int


def arrivals(port: int, rate: int, seconds: float, questions: Path | None = None) -> Arrivals:
    """Ask for so long, from the core of the load.

    Args:
        port: where to, on loopback.
        rate: questions a second.
        seconds: the time.
        questions: a file of them; None: 500 names of a vendor.

    Raises:
        SystemExit: there is no compiler, or no answer.
    """
    program = compiled("arrivals")
    if program is None:
        raise SystemExit("arrivals: needs a C compiler (gcc, libc6-dev)")
    words = [str(program), str(port), str(rate), str(seconds)]
    said = generator.said_by([*words, *([str(questions)] if questions else [])], seconds)
    return Arrivals(**json.loads(said))
