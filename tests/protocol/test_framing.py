"""Messages on a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FormError
from sinkhole.protocol.framing import FrameReader, frame


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.lists(st.integers(1, 50), max_size=60))
def test_any_segmentation_gives_the_same_messages(messages: list[bytes], cuts: list[int]):
    stream = b"".join(map(frame, messages))
    reader, found = FrameReader(), []
    for cut in [*cuts, len(stream) or 1]:
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert found + reader.feed(stream) == messages
    assert not reader.has_partial


def test_octet_by_octet():
    reader = FrameReader()
    got = [reader.feed(bytes((octet,))) for octet in frame(b"abc")]
    assert got == [[], [], [], [], [b"abc"]]


def test_half_a_message_is_seen():
    reader = FrameReader()
    assert reader.feed(b"\0\5ab") == []
    assert reader.has_partial


def test_length_zero_is_refused():
    with pytest.raises(FormError, match="zero"):
        FrameReader().feed(b"\0\0")


def test_messages_before_a_length_of_zero_are_not_lost():
    reader = FrameReader()
    assert reader.feed(frame(b"abc") + b"\0\0") == [b"abc"]
    with pytest.raises(FormError, match="zero"):
        reader.feed(b"")


def test_largest_message_passes():
    largest = bytes(65535)
    assert FrameReader().feed(frame(largest)) == [largest]


@pytest.mark.parametrize("size", [0, 65536])
def test_sizes_that_have_no_frame_are_refused(size: int):
    with pytest.raises(FormError):
        frame(bytes(size))
