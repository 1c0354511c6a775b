from dataclasses import replace

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.protocol.message import write_query
from sinkhole.upstream.ask import PAYLOAD, Ask, Budget, Packets, mix_case, padded
from sinkhole.upstream.failure import UpstreamFailure, UpstreamTimeout
from tests.upstream.asking import asking, question


def test_query_is_as_asked() -> None:
    """R-W22: nothing of the client but the question and DO, CD goes upstream."""
    message = dns.message.from_wire(Ask(question(), do=True, cd=True, ad=True).to_wire(0x1234))
    assert message.id == 0x1234
    assert dns.flags.to_text(message.flags) == "RD AD CD"
    assert message.ednsflags == dns.flags.DO
    assert message.payload == PAYLOAD
    assert message.options == ()
    assert message.question[0].name.to_text() == "www.Example.org."


def test_query_without_edns_has_no_opt() -> None:
    message = dns.message.from_wire(Ask(question(), do=True, edns=False).to_wire(1, is_padded=True))
    assert message.edns == -1


@given(st.integers(1, 60))
def test_padded_query_is_a_multiple_of_128_octets(length: int) -> None:
    """R-C24: padding to 128 octets (RFC 8467, section 4.1)."""
    wire = asking("a" * length + "." + "b" * 60 + ".example.org").to_wire(1, is_padded=True)
    assert len(wire) % 128 == 0
    (option,) = dns.message.from_wire(wire).options
    assert option.otype == 12


@given(st.integers(1, 60), st.booleans())
def test_query_padded_in_pieces_is_the_same(length: int, do: bool) -> None:
    ask = replace(asking("a" * length + "." + "b" * 60 + ".example.org"), do=do)
    head, tail = ask.frame()
    name = ask.question.name
    wire = b"\0\7" + head + name + padded(head, name, tail)
    assert wire == ask.to_wire(7, is_padded=True)
    (option,) = dns.message.from_wire(wire).options
    options = ((12, bytes(len(option.to_wire()))),)
    assert wire == write_query(ask.question, id=7, do=do, payload=PAYLOAD, options=options)


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
def test_mixed_case_differs_in_letter_case_only(labels: list[bytes]) -> None:
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    mixed = mix_case(name)
    assert mixed.lower() == name.lower()


def test_mixed_case_is_random() -> None:
    """R-C03: the letter case carries unpredictable bits."""
    name = question("abcdefghijklmnop.example.org").name
    assert len({mix_case(name) for _ in range(20)}) > 15


def test_budget_ends_by_count_and_by_time() -> None:
    now = 0.0
    budget = Budget(Packets(2), 3.0, lambda: now)
    budget.spend()
    budget.spend()
    with pytest.raises(UpstreamFailure, match="too many messages"):
        budget.spend()
    now = 2.0
    assert budget.time_for(1.5) == 1.0
    now = 3.0
    with pytest.raises(UpstreamTimeout):
        budget.time_for(1.5)
