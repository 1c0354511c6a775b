"""A worker asks for short time slices, and goes on without where there are none."""

import os
import platform
import threading

import pytest

from sinkhole.app import short_turns
from sinkhole.app.short_turns import SLICE_US, slice_us, take_short_turns

RELEASE = tuple(int(part) for part in platform.release().split(".")[:2])
KNOWN = RELEASE >= (6, 12) and platform.machine() in ("x86_64", "aarch64", "riscv64")


def in_a_thread(work):
    """Slices are of threads: that of the tests stays as it is."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(not KNOWN, reason="slices are set since Linux 6.12")
def test_slice_is_set_and_nothing_else():
    before = slice_us()

    def work():
        nice, policy = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
        return take_short_turns(), slice_us(), (nice, policy) == (
            os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
        )  # fmt: skip

    assert in_a_thread(work) == (True, SLICE_US, True)
    assert slice_us() == before


def test_another_machine_goes_on_without(monkeypatch):
    monkeypatch.setattr(short_turns, "_NUMBERS", {})
    assert in_a_thread(lambda: (take_short_turns(), slice_us())) == (False, 0)


def test_system_that_knows_no_such_call_goes_on_without(monkeypatch):
    monkeypatch.setattr(short_turns, "_NUMBERS", {os.uname().machine: (100_000, 100_001)})
    assert in_a_thread(lambda: (take_short_turns(), slice_us())) == (False, 0)


@pytest.mark.skipif(not KNOWN, reason="slices are set since Linux 6.12")
def test_policy_that_somebody_chose_stays(monkeypatch):
    def work():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        return take_short_turns(), os.sched_getscheduler(0)

    assert in_a_thread(work) == (False, os.SCHED_IDLE)
