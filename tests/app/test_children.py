"""Children that cannot be started, hang, do not become ready or do not end: with real processes."""

import errno
import os
import signal
import sys
import time

import pytest

from sinkhole.app.child import Child
from sinkhole.app.children import CONTROL_HUNG_AFTER, HUNG_AFTER, READY_WITHIN, Children, Death

SLEEPING = ("sleep", "60")
_IGNORE = "import os, signal; signal.signal(15, lambda *_: None); os.write(1, b'r'); signal.pause(); signal.pause()"
STUBBORN = (sys.executable, "-c", _IGNORE)


class Launch:
    """Starts a program as if it were a child of the supervisor, `age` seconds ago."""

    def __init__(self, *program: str) -> None:
        self.program = program
        self.age = 0.0
        self.has_room = True

    def __call__(self, name: str) -> Child:
        if not self.has_room:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        actions = [(os.POSIX_SPAWN_DUP2, write, 1)]
        pid = os.posix_spawnp(self.program[0], self.program, os.environ, file_actions=actions)
        os.close(write)
        return Child(name, pid, read, time.monotonic() - self.age)


@pytest.fixture
def launch():
    return Launch(*SLEEPING)


@pytest.fixture
def children(launch):
    """An empty table; what is left in it is killed."""
    found = Children(launch)
    yield found
    for child in found.all():
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        child.close()


@pytest.fixture
def wake():
    """A descriptor that never wakes."""
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


def reap_one(children: Children) -> Death:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if deaths := children.reap():
            return deaths[0]
        time.sleep(0.01)
    raise AssertionError("no child died")


def test_child_for_which_there_is_no_room_is_started_later(children, launch, caplog):
    """R-O09: the supervisor lives on without processes or descriptors to give."""
    launch.has_room = False
    children.start("worker-0")
    assert "process.not_started" in caplog.text
    assert children.all() == []
    assert 0 < children.seconds_to_next(5) <= 1
    launch.has_room = True
    children.start_due()
    assert children.all() == []
    children.start("worker-0")
    assert [child.name for child in children.workers()] == ["worker-0"]
    assert children.seconds_to_next(5) == 5


@pytest.mark.parametrize(("name", "after"), [("worker-0", HUNG_AFTER), ("control", CONTROL_HUNG_AFTER)])
def test_child_without_a_sign_of_life_is_killed(children, launch, caplog, name, after):
    """R-O10."""
    launch.age = after - 5
    children.start(name)
    children.all()[0].is_ready = True
    children.kill_hung()
    assert caplog.text == ""
    launch.age = after + 1
    children.start(name)
    children.kill_hung()
    assert caplog.text.count("process.hung") == 1
    assert reap_one(children).code == -signal.SIGKILL
    assert len(children.named(name)) == 1


def test_successor_that_does_not_become_ready_gives_way_to_the_old_one(children, launch, caplog):
    """R-O03: a configuration that cannot be served keeps the old worker."""
    launch.age = READY_WITHIN + 4
    children.start("worker-0")
    launch.age = READY_WITHIN + 1
    children.start("worker-0")
    children.kill_hung()
    death = reap_one(children)
    assert death.child.retiring
    assert "process.not_ready" in caplog.text
    assert len(children.named("worker-0")) == 1
    children.start_again(death)
    assert children.seconds_to_next(5) == 5


def test_first_worker_may_take_its_time(children, launch, caplog):
    launch.age = READY_WITHIN + 1
    children.start("worker-0")
    children.kill_hung()
    assert "process" not in caplog.text


def test_dead_child_is_started_again_and_one_that_is_no_longer_wanted_is_not(children, caplog):
    """R-D02."""
    for name in ("worker-0", "worker-1"):
        children.start(name)
    for child in children.all():
        os.kill(child.pid, signal.SIGKILL)
        children.start_again(reap_one(children))
    assert caplog.text.count("process.died") == 2
    children.forget_due(("worker-0",))
    children.start_due()
    assert [child.name for child in children.all()] == ["worker-0"]


def test_child_that_does_not_end_is_killed(children, launch, wake, caplog):
    """R-O02: a stop takes no longer than it may."""
    launch.program = STUBBORN
    children.start("worker-0")
    while not children.wait(1, wake):
        pass
    assert children.end(children.all(), 0.3, wake) is False
    assert "process.killed" in caplog.text
    assert reap_one(children).code == -signal.SIGKILL


def test_child_that_ends_in_time_is_not_killed(children, wake):
    children.start("worker-0")
    assert children.end(children.all(), 5, wake) is True
    assert children.all() == []
