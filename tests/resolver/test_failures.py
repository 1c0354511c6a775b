from sinkhole.protocol.reply import Ede
from sinkhole.resolver.answer import failure
from sinkhole.resolver.failures import FailureMemory

KEY = (b"\x01a\x00", 1, 1, False, False)


def test_failure_holds_for_its_life_and_says_it_is_remembered():
    """R-C17"""
    memory = FailureMemory()
    memory.remember(KEY, failure(Ede(22), ttl=5.0), 100.0)
    found = memory.find(KEY, 103.0)
    assert ([ede.code for ede in found.body.ede], found.ttl) == ([22, 13], 2.0)
    assert memory.find(KEY, 105.0) is None
    assert memory.find(KEY, 103.0) is None


def test_memory_is_bounded():
    memory = FailureMemory(2)
    keys = [(bytes([1, 97 + n, 0]), 1, 1, False, False) for n in range(3)]
    for key in keys:
        memory.remember(key, failure(ttl=5.0), 0.0)
    assert [memory.find(key, 1.0) is not None for key in keys] == [False, True, True]


def test_failure_without_a_life_is_not_kept():
    memory = FailureMemory()
    memory.remember(KEY, failure(ttl=5.0), 0.0)
    memory.remember(KEY, failure(), 0.0)
    assert memory.find(KEY, 1.0) is None
