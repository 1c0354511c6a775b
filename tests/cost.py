"""What a call costs in processor time, in a process that others disturb."""

import gc
import time
from collections.abc import Callable


def least_cost(call: Callable[[], object], rounds: int = 3) -> float:
    """Return the least seconds of processor time of some rounds: what a busy machine adds is not in each of them.

    The collector is off meanwhile: in a process of thousands of tests it takes longer than what is measured.
    """
    took = []
    was_on = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            began = time.process_time()
            call()
            took.append(time.process_time() - began)
    finally:
        if was_on:
            gc.enable()
    return min(took)
