"""R-L05, R-L06, R-B09: what one list says; the order of its rows never matters."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.judge import judge
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.protocol.names import name_from_text

NAME = name_from_text("www.example.org")
BLOCK = Rule(Match.SUFFIX, "example.org", line=1)
ALLOW = Rule(Match.SUFFIX, "example.org", RuleAction.ALLOW, line=2)
IMPORTANT = Rule(Match.SUFFIX, "example.org", important=True, line=3)
ALLOW_IMPORTANT = Rule(Match.SUFFIX, "example.org", RuleAction.ALLOW, important=True, line=4)


def rewrite(text: str, line: int = 5, action: RuleAction = RuleAction.REWRITE) -> Rule:
    return Rule(Match.SUFFIX, "example.org", action, rewrite=text, line=line)


def only_if(**condition: object) -> Rule:
    return Rule(Match.SUFFIX, "example.org", condition=Condition(**condition), line=6)  # type: ignore[arg-type]


def applies(rule: Rule, qtype: int = 1, client: str | None = None, name: bytes = NAME) -> bool:
    return judge([rule], name, qtype, client) is not None


def test_no_row_says_nothing():
    assert judge([], NAME, 1) is None


@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        ([BLOCK], BLOCK),
        ([BLOCK, ALLOW], ALLOW),
        ([BLOCK, ALLOW, IMPORTANT], IMPORTANT),
        ([BLOCK, ALLOW, IMPORTANT, ALLOW_IMPORTANT], ALLOW_IMPORTANT),
    ],
)
def test_strength_in_every_order(rows, winner):
    """R-L05, R-B09: `@@$important` > `$important` > `@@` > block, in whatever order they stand."""
    for order in permutations(rows):
        outcome = judge(order, NAME, 1)
        assert (outcome.action, outcome.rule) == (winner.action, winner)


def test_badfilter_takes_the_same_row_away():
    """R-L05."""
    disabled = Rule(Match.SUFFIX, "example.org", disables=True, line=9)
    assert judge([BLOCK, disabled], NAME, 1) is None
    assert judge([disabled], NAME, 1) is None
    assert judge([disabled, IMPORTANT, BLOCK], NAME, 1).rule is IMPORTANT


def test_badfilter_of_an_exception():
    disabled = Rule(Match.SUFFIX, "example.org", RuleAction.ALLOW, disables=True, line=9)
    assert judge([BLOCK, disabled, ALLOW], NAME, 1).rule is BLOCK


@pytest.mark.parametrize(
    ("rule", "qtypes"),
    [
        (only_if(qtypes=(1,)), {1}),
        (only_if(not_qtypes=(1,)), {28, 65}),
        (only_if(qtypes=(1, 28), not_qtypes=(28,)), {1}),
    ],
)
def test_dnstype(rule, qtypes):
    """R-L06: a row limited to types applies to those alone."""
    assert {qtype for qtype in (1, 28, 65) if applies(rule, qtype)} == qtypes


@pytest.mark.parametrize(
    ("clients", "client", "expected"),
    [
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.1",), "192.0.2.2", False),
        (("192.0.2.0/24",), "192.0.2.2", True),
        (("2001:db8::/32",), "192.0.2.2", False),
        (("~192.0.2.1",), "192.0.2.1", False),
        (("~192.0.2.1",), "192.0.2.2", True),
        (("192.0.2.0/24", "~192.0.2.1"), "192.0.2.1", False),
        (("192.0.2.0/24", "~192.0.2.1"), "192.0.2.9", True),
        (("Laptop",), "laptop", True),
        (("laptop",), "192.0.2.1", False),
        (("192.0.2.1",), None, False),
        (("~192.0.2.1",), None, True),
    ],
)
def test_client(clients, client, expected):
    """R-L06: a row limited to clients applies to those alone, and to none that is unknown."""
    assert applies(only_if(clients=clients), client=client) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("www.example.org", True), ("ok.example.org", False), ("a.ok.example.org", False), ("xok.example.org", True)],
)
def test_denyallow(name, expected):
    """R-L06: names of `$denyallow`, and names below them, are left out."""
    assert applies(only_if(denyallow=("ok.example.org",)), name=name_from_text(name)) is expected


def test_condition_that_fails_leaves_the_other_rows():
    assert judge([only_if(qtypes=(28,)), BLOCK], NAME, 1).rule is BLOCK


def test_rewrite_beats_block_and_exception():
    """R-L06: AdGuard gives `$dnsrewrite` "higher priority than other rules"."""
    for order in permutations([BLOCK, ALLOW, rewrite("A 192.0.2.1")]):
        outcome = judge(order, NAME, 1)
        assert (outcome.action, outcome.rewrite) == (RuleAction.REWRITE, ("A 192.0.2.1",))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["A 192.0.2.2", "A 192.0.2.1", "A 192.0.2.2"], ("A 192.0.2.1", "A 192.0.2.2")),
        (["A 192.0.2.2", "NXDOMAIN"], ("NXDOMAIN",)),
        (["A 192.0.2.2", "NXDOMAIN", "CNAME b.example", "CNAME a.example"], ("CNAME a.example",)),
    ],
)
def test_several_rewrites(texts, expected):
    """An alias stands alone, else an RCODE does, else all records are given, each once."""
    for order in permutations([rewrite(text, line) for line, text in enumerate(texts)]):
        assert judge(order, NAME, 1).rewrite == expected


def test_rewrite_is_lifted():
    """R-L06: `@@||x^$dnsrewrite=…` takes that rewrite away, without a value all of them, and is no exception else."""
    one, other = rewrite("A 192.0.2.1"), rewrite("A 192.0.2.2")
    assert judge([one, other, rewrite("A 192.0.2.1", 7, RuleAction.ALLOW)], NAME, 1).rewrite == ("A 192.0.2.2",)
    assert judge([one, other, rewrite("", 7, RuleAction.ALLOW)], NAME, 1) is None
    assert judge([one, BLOCK, rewrite("", 7, RuleAction.ALLOW)], NAME, 1).rule is BLOCK


conditions = st.sampled_from([None, Condition(qtypes=(1,)), Condition(not_qtypes=(1,)), Condition(clients=("laptop",))])
rules = st.builds(
    Rule,
    match=st.sampled_from([Match.SUFFIX, Match.EXACT]),
    name=st.sampled_from(["example.org", "www.example.org"]),
    action=st.sampled_from([RuleAction.BLOCK, RuleAction.ALLOW]),
    important=st.booleans(),
    condition=conditions,
    disables=st.booleans(),
    line=st.integers(1, 5),
)


@given(st.lists(rules, max_size=6), st.randoms())
def test_order_of_rows_never_matters(rows, random):
    """R-B09."""
    shuffled = random.sample(rows, len(rows))
    assert judge(rows, NAME, 1) == judge(shuffled, NAME, 1)
