from dataclasses import dataclass, replace

import pytest

from sinkhole.protocol.question import Question
from sinkhole.protocol.value import value


def test_values_are_compared_hashed_and_copied_as_frozen_ones_are():
    one, same = Question(b"\3www\0", 1), Question(b"\3www\0", 1)
    assert one == same
    assert len({one, same}) == 1
    assert replace(one, name=b"\3WWW\0") != one
    assert replace(one, name=b"\3WWW\0").key == one.key
    assert not hasattr(one, "__dict__")


def test_what_may_change_is_no_value():
    with pytest.raises(AssertionError):
        value(frozen=False, slots=True)(dataclass)
