"""Ordinary names: of none of them a closer look would say anything, whatever was asked before."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.image import NameIndex
from sinkhole.policy.lookalikes import Lookalikes
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.signs import Signs
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.protocol.names import name_from_text, reversed_key
from tests.policy import world
from tests.policy.test_lookalikes import BOOK as BRANDS
from tests.policy.test_signs import BOOK as SIGNS

GUARD = Lookalikes(BRANDS)
SUSPECTS = Signs(SIGNS, GUARD)
LISTED = ("ads.example", "deep.below.shop.example", "com.example", "tracker.co.uk")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_"


def index_of(*rules: Rule | str) -> NameIndex:
    return NameIndex.from_rules([world.listed("one", *(rules or LISTED))], (), (), (), BRANDS, SIGNS)


def is_ordinary(index: NameIndex, text: str) -> bool:
    name = name_from_text(text)
    return index.is_ordinary(name, reversed_key(name))


def is_found_so(index: NameIndex, text: str) -> bool:
    """Return the same when a name beside it was asked for before."""
    is_ordinary(index, f"zzz.{text.partition('.')[2]}")
    return is_ordinary(index, text)


def label_of(random: Random) -> str:
    """Return a label that is a brand or a word for AI, nearly one, or neither."""
    words = [brand.token for brand in BRANDS.brands] + [word for word, _ in (*SIGNS.words, *SIGNS.parts, *SIGNS.edges)]
    word = list(
        random.choice([*words, "hyundai", "www", "shop", "mail", "x", "static", "m" * 45, "q" * 48, "xn--80ak6aa92e"])
    )
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        at = random.randrange(len(word))
        word[at : at + random.randrange(3)] = random.choices(LETTERS, k=random.randrange(3))
        word = word or ["y"]
    text = "".join([*random.choices(LETTERS, k=random.choice((0, 0, 1, 3))), *word])
    for old, new in (("m", "rn"), ("o", "0"), ("l", "i"), ("w", "vv")):
        if random.random() < 0.1:
            text = text.replace(old, new)
    return "".join([text, random.choice(("", "", *words)), random.choice(("", "x"))])[:63]


@pytest.mark.thousands
@settings(max_examples=300)
@given(st.integers(0, 2**64))
def test_nothing_is_to_be_said_of_an_ordinary_name(seed):
    random = Random(seed)
    index = index_of()
    parents = [
        *LISTED,
        *(f"{label_of(random)}.{suffix}" for suffix in ("example", "com", "co.uk", "ai", "chat", "xn--fiqs8s")),
    ]
    for _ in range(60):
        parent = random.choice(parents)
        if random.random() < 0.2:
            parent = f"{label_of(random)}.{parent}"
        name = name_from_text(f"{label_of(random)}.{parent}")
        if index.is_ordinary(name, reversed_key(name)):
            assert index.find(name) is None
            assert GUARD.find_open(name) is None
            assert SUSPECTS.find(name) is None


@settings(max_examples=100)
@given(st.integers(0, 2**64))
def test_names_are_decided_as_if_nobody_knew_what_is_ordinary(seed):
    random = Random(seed)
    said = random.sample(
        ["block lookalikes", "block unreviewed", "monitor ai", "block domain:shop.example", "block feed:one"], 3
    )
    policy = Policy(index_of(), world.statements(*said), (), BlockAnswer(), 1)
    plain = Policy(index_of(), world.statements(*said), (), BlockAnswer(), 1)
    for _ in range(60):
        name = name_from_text(f"{label_of(random)}.{random.choice(('shop.example', 'ads.example', 'other.com'))}")
        key = reversed_key(name)
        if random.random() < 0.5:
            policy.spot(name, key, EVERYONE)
        assert policy.decide(name, world.A, EVERYONE, world.NOW, key=key) == plain.decide(
            name, world.A, EVERYONE, world.NOW
        )


@pytest.mark.parametrize(
    "name",
    [
        "www.site.example", "mail.portal.com", "x.y.z.example", "my-n123.site.co.uk", "www.example", "www.shop.example",
        "www.below.shop.example", "below.shop.example",
    ],
)  # fmt: skip
def test_most_names_are(name):
    """Those below which something is listed, too."""
    index = index_of()
    assert is_ordinary(index, name)
    assert is_found_so(index, name)


@pytest.mark.parametrize(
    "name",
    [
        "x.ads.example", "y.x.ads.example", "deep.below.shop.example", "x.deep.below.shop.example",
        "www.deepseek.example", "deepseek.site.example", "deepsek.site.example", "0penai.site.example",
        "my-gpt.site.example", "llm.site.example", "www.llm.example", "www.novel.ai", "ai.site.example",
        "hyundaillmx.site.xn--fiqs8s", "example", ".",
    ],
)  # fmt: skip
def test_others_are_not(name):
    """Something is listed at or above it, or a label may say something."""
    index = index_of()
    assert not is_ordinary(index, name)
    assert not is_found_so(index, name)


def test_none_is_where_an_expression_may_match_any():
    index = index_of(Rule(Match.REGEX, "^n[0-9]+[.]"), "ads.example")
    assert not is_found_so(index, "www.shop.org")


def test_it_is_known_without_the_key_what_was_found_a_moment_ago():
    index = index_of()
    name = name_from_text("www.shop.org")
    assert not index.is_ordinary(name)
    assert is_found_so(index, "www.shop.org")
    assert index.is_ordinary(name)
    for number in range(2000):
        assert is_ordinary(index, f"n{number}.shop.org")
    assert not index.is_ordinary(name)
    assert 0 < len(index._ordinary._latest) <= 1000


def spot(index: NameIndex, text: str) -> bytes | None:
    name = name_from_text(text)
    return index.spot(name, reversed_key(name))


def test_no_more_than_some_thousand_parents_are_remembered():
    index = index_of()
    for number in range(20_000):
        assert spot(index, f"www.site{number}.example") is None
    assert 0 < len(index._ordinary._parents) <= 16_384
    known = len(index._ordinary._parents)
    assert spot(index, f"{'a.' * 33}example") is spot(index, f"{'a.' * 33}example") is None
    assert not is_found_so(index, f"{'a.' * 33}example")
    assert len(index._ordinary._parents) == known, "nor of long ones"


def test_no_more_than_a_thousand_top_level_domains_are_remembered():
    index = index_of()
    for number in range(2000):
        assert is_ordinary(index, f"www.site.top{number}")
    assert 0 < len(index._ordinary._tops) <= 1000
