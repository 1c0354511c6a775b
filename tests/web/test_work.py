"""Threads for requests: what they do is not felt by whoever asks for a name."""

import os
import sys
import threading

import pytest

from sinkhole.web.work import Threads, be_calm


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's own on Linux alone")
async def test_threads_are_nicer_than_the_rest_of_the_process():
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    threads = Threads("test", 1, 0)
    found = [await threads.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) for _ in range(2)]
    threads.close()
    assert found == [min(19, own + 5)] * 2
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_where_it_is_not_permitted_the_thread_works_all_the_same(monkeypatch):
    def refuse(_: int) -> int:
        raise PermissionError("not here")

    monkeypatch.setattr("os.nice", refuse)
    be_calm()
