"""A policy file: what it says, and all its mistakes with line, table and key."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinkhole.app.policy_file import PolicyFile, text_of, updated_text
from sinkhole.app.policy_reading import Known, read_policy
from sinkhole.errors import PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.exception import ExceptionState, PolicyException
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from tests.catalogue.world import shipped

SERVER = BlockAnswer(ttl=7)
KNOWN = Known(shipped(), ("doh",), (Group("kids", (), answer=BlockAnswer(BlockMode.NXDOMAIN, ttl=9)),), SERVER)
FULL = """
[[groups]]
name = "lab"
members = ["10.1.2.3/16", "::ffff:192.0.2.1", "10.1.0.0/16"]
order = 5

[[statements]]
subject = "mistral"
action = "allow"
group = "lab"
reason = "r"
owner = "o"
ticket = "t"
expires = 2030-12-31T18:00:00.5+01:00

[[expectations]]
group = "lab"
name = "API.mistral.ai."
type = "aaaa"
at = 2030-01-01T00:00:00Z
expect = "allow"
by = "mistral"
why = "w"
"""


def read(text: str) -> PolicyFile:
    return read_policy(text, "p.toml", KNOWN)


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(text)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("p.toml: ") for line in lines)
    return [line.removeprefix("p.toml: ") for line in lines]


def test_everything_is_read():
    assert read(FULL) == PolicyFile(
        (Group("lab", ("10.1.0.0/16", "192.0.2.1"), 5),),
        (
            Statement(
                0, Subject.from_text("vendor:mistral"), Action.ALLOW, "lab", "r", "o", "t",
                datetime(2030, 12, 31, 17, tzinfo=UTC),
            ),
        ),
        (
            Expectation(
                "api.mistral.ai", Action.ALLOW, "AAAA", None, "lab", datetime(2030, 1, 1, tzinfo=UTC),
                Subject.from_text("vendor:mistral"), "w",
            ),
        ),
    )  # fmt: skip


def test_what_is_written_is_read_again():
    policy = read(FULL).in_order()
    assert read(text_of(policy)) == policy
    assert text_of(read(text_of(policy))) == text_of(policy)


@pytest.mark.parametrize(
    "reason", ['a "b" \\ c', "right\u202eto left", "a\u2028b", "a\U000e0001b", "a\x85b", "a\tb", "é 😀 #"]
)
def test_words_are_written_so_that_what_is_shown_is_what_is_meant(reason):
    policy = PolicyFile((), (Statement(0, Subject.from_text("ai"), Action.BLOCK, reason=reason),))
    text = text_of(policy)
    assert text.replace("\n", "").isprintable()
    assert read(text) == policy


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("", None),
        ('mode = "nxdomain"', BlockAnswer(BlockMode.NXDOMAIN, ttl=7)),
        ('ipv4 = "192.0.2.9"', BlockAnswer(BlockMode.ADDRESS, "192.0.2.9", None, 7)),
        ('mode = "address"\nipv6 = "2001:db8::9"', BlockAnswer(BlockMode.ADDRESS, None, "2001:db8::9", 7)),
        ('mode = "address"', BlockAnswer(BlockMode.ADDRESS, ttl=7)),
    ],
)
def test_blocked_answer_of_a_group(said, answer):
    (group,) = read(f'[[groups]]\nname = "lab"\nmembers = []\n{said}\n').groups
    assert group.answer == answer
    assert read(text_of(PolicyFile((group,)))).groups == (group,)


def test_blocked_answer_keeps_what_the_file_cannot_say():
    (group,) = read('[[groups]]\nname = "kids"\nmembers = []\nmode = "nodata"\n').groups
    assert group.answer == BlockAnswer(BlockMode.NODATA, ttl=9)


def test_all_mistakes_at_once_in_the_order_of_lines():
    assert mistakes("""
[[groups]]
name = "Dev"
members = ["10.20.0.0/16", "x"]
colour = 1
nmae = 2
[[statments]]
[[statements]]
subject = "vendor:mistrl"
action = "alow"
group = "dev"
expires = 2030-01-01T00:00:00
[[statements]]
[[expectations]]
client = "x"
type = "AAAB"
name = "a..b"
expect = 3
""") == [
        "line 3: groups[1].name: group name 'Dev': wanted lower-case letters, digits and inner -",
        "line 4: groups[1].members: 'x' is no address and no network such as 192.0.2.0/24 or 2001:db8::/32; "
        "a name is written name:x, a client-id id:x",
        "line 5: groups[1].colour: is no key of groups; there are name, members, order, mode, ipv4, ipv6",
        "line 6: groups[1].nmae: is no key of groups; did you mean name?",
        "line 7: statments: is no table of a policy; did you mean statements?",
        "line 9: statements[1].subject: there is no vendor 'mistrl'; did you mean mistral?",
        "line 10: statements[1].action: wanted one of allow, monitor, coach, block; found 'alow'; did you mean allow?",
        "line 11: statements[1].group: there is no group 'dev' in this file",
        "line 12: statements[1].expires: wanted a time with its zone, such as 2030-12-31T18:00:00Z without quotes; "
        "found 2030-01-01 00:00:00",
        "line 13: statements[2].subject: is missing",
        "line 13: statements[2].action: is missing",
        "line 15: expectations[1].client: 'x' is no address such as 192.0.2.7 or 2001:db8::7",
        "line 16: expectations[1].type: type: a known name or TYPE0 to TYPE65535 is wanted; found 'AAAB'",
        "line 17: expectations[1].name: name 'a..b': a label has 1 to 63 octets; found 0",
        "line 18: expectations[1].expect: wanted a text; found 3",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nx = ?\n", "line 2, column 4: is no TOML: "),
        ("[a]\n[a]\n", "is no TOML: "),
        ("groups = 1\n", "line 1: groups: wanted tables, each under a line [[groups]]"),
        ("groups = [1]\n", "line 1: groups: wanted tables"),
        ('[groups]\nname = "lab"\n', "line 1: groups: wanted tables"),
        ('[[groups]]\nname = "lab"\n', "line 1: groups[1].members: is missing"),
        ('[[groups]]\nname = "lab"\nmembers = "10.0.0.1"\n', "line 3: groups[1].members: wanted a list of texts"),
        ('[[groups]]\nname = "lab"\nmembers = []\norder = true\n', "line 4: groups[1].order: wanted a whole number"),
        ('[[groups]]\nname = "lab"\nmembers = []\norder = 9999999999\n', "line 4: groups[1].order: wanted a whole"),
        ('[[groups]]\nname = "lab"\nmembers = []\nmode = "nxdomian"\n', "did you mean nxdomain?"),
        ('[[groups]]\nname = "lab"\nmembers = []\nipv4 = "::1"\n', "groups[1].ipv4: '::1' is no IPv4 address"),
        ('[[groups]]\nname = "lab"\nmembers = []\nmode = "nodata"\nipv4 = "192.0.2.1"\n', "answers with no address"),
        ('[[statements]]\nsubject = " "\naction = "block"\n', "line 2: statements[1].subject: wanted a text"),
        (
            '[[statements]]\nsubject = "ai"\naction = "block"\n[[statements]]\nsubject = "ai"\naction = "allow"\n',
            "line 4: statements[2]: is the statement on ai for all again, which is statements[1]",
        ),
        (
            '[[statements]]\nsubject = "ai"\naction = "block"\nexpires = 0001-01-01T00:00:00+23:00\n',
            "line 4: statements[1].expires: 0001-01-01 00:00:00+23:00 is out of range",
        ),
        (
            '[[groups]]\nname = "lab"\nmembers = []\n'
            '[[expectations]]\nclient = "192.0.2.1"\ngroup = "lab"\nname = "a.example"\nexpect = "block"\n',
            "line 5: expectations[1].client: give a client or a group, not both",
        ),
        ('[[expectations]]\nname = "a b.org"\nexpect = "block"\n', "expectations[1].name: 'a b.org' is no name"),
    ],
)  # fmt: skip
def test_single_mistakes(text, said):
    assert said in "\n".join(mistakes(text))


def test_line_is_right_behind_strings_of_several_lines():
    text = '''[[statements]]
subject = "ai"
action = "block"
reason = """
[[statements]]
action = "x"
"""
# [[statements]]
[[statements]]
subject = "nope-nope"
action = "block"
'''
    (said,) = mistakes(text)
    assert said.startswith("line 10: statements[2].subject: nothing is called")


def test_line_of_a_table_in_one_line_is_not_known():
    (said,) = mistakes('statements = [{ subject = "ai", action = "x" }]\n')
    assert said.startswith("statements[1].action: wanted one of")


KEPT = """# head

# about lab
[[groups]]
name = "lab"   # tail
members = [
  # inner
  "10.1.0.0/16",
]

# free

# second
[[groups]]
name = "old"
members = ["10.2.0.0/16"]
"""


def test_what_stays_keeps_its_words():
    was = read(KEPT)
    assert updated_text(KEPT, was, was) == KEPT
    gone = PolicyFile(was.groups[:1])
    assert updated_text(KEPT, was, gone) == KEPT[: KEPT.index("# second")]
    other = PolicyFile(was.groups[1:])
    assert updated_text(KEPT, was, other) == KEPT[: KEPT.index("# about")] + KEPT[KEPT.index("# free") :]


def test_only_keys_that_differ_are_written():
    was = read(KEPT)
    wanted = PolicyFile((Group("lab", ("10.1.0.0/16",), 3), was.groups[1]))
    new = updated_text(KEPT, was, wanted)
    assert new.replace("order = 3\n", "") == KEPT
    assert read(new) == wanted
    assert updated_text(new, wanted, was).replace("order = 100\n", "") == KEPT


def test_new_tables_come_after_the_last_of_their_kind():
    was = read(KEPT)
    wanted = PolicyFile(
        (*was.groups, Group("new", ("10.3.0.0/16",))), (Statement(0, Subject.from_text("ai"), Action.BLOCK),)
    )
    new = updated_text(KEPT.rstrip("\n"), was, wanted)
    assert new.startswith(KEPT)
    assert new.index('"new"') < new.index("[[statements]]")
    assert read(new) == wanted


NAMES = st.sampled_from(["lab", "dev", "x"])
TEXTS = st.none() | st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=9).filter(str.strip)
TIMES = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
SUBJECTS = st.sampled_from(["ai", "vendor:mistral", "domain:example.org", "jurisdiction:CN"]).map(Subject.from_text)
STATEMENTS = st.builds(
    Statement, st.just(0), SUBJECTS, st.sampled_from(Action), st.none() | st.just("lab"), TEXTS, TEXTS, TEXTS, TIMES
)
EXPECTATIONS = st.builds(
    Expectation, st.sampled_from(["a.example", "b.org"]), st.sampled_from(Action), st.sampled_from(["A", "TYPE65300"]),
    st.none(), st.none() | st.just("lab"), TIMES, st.none() | SUBJECTS, TEXTS,
)  # fmt: skip


def ahead(days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=9).filter(str.strip)
EXCEPTIONS = st.builds(
    lambda subject, who, days, reason, owner, ticket: PolicyException(
        subject, ahead(days), reason, owner, *who, ticket, state=ExceptionState.APPROVED
    ),
    SUBJECTS, st.sampled_from([(None, None), ("192.0.2.7", None), (None, "lab")]), st.integers(-400, 360), WORDS, WORDS,
    TEXTS,
)  # fmt: skip
POLICIES = st.builds(
    PolicyFile,
    st.just((Group("lab", ("10.0.0.0/8",)),)),
    st.lists(STATEMENTS, max_size=4, unique_by=lambda one: (one.subject, one.group)).map(tuple),
    st.lists(EXPECTATIONS, max_size=4, unique_by=lambda one: one.question).map(tuple),
    st.lists(EXCEPTIONS, max_size=4, unique_by=lambda one: one.identity).map(tuple),
).map(PolicyFile.in_order)


@settings(max_examples=60)
@given(POLICIES, POLICIES)
def test_any_policy_is_written_read_and_updated_into_any_other(one, other):
    text = text_of(one)
    assert read(text) == one
    new = updated_text(text, one, other)
    assert read(new).in_order() == other


def test_whatever_a_file_holds_a_policy_or_a_documented_error_comes_out():
    chance = random.Random(1)
    alphabet = "[]{}=\"'#\n\\ .,:-+0123456789abz\x00é"
    for _ in range(400):
        text = list(FULL)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text))
            text[at : at + chance.randint(0, 9)] = [chance.choice(alphabet) for _ in range(chance.randint(0, 3))]
        try:
            read("".join(text))
        except PolicyError:
            continue
    with pytest.raises(PolicyError):
        read("x = " + "[" * 50_000)


@pytest.mark.parametrize("basis", list(Basis))
def test_basis_of_a_block(basis):
    text = f'[[statements]]\nsubject = "ai"\naction = "block"\nbasis = "{basis.value}"\n'
    (statement,) = read(text).statements
    assert statement.basis is basis
    assert read(text_of(PolicyFile((), (statement,)))).statements == (statement,)


def test_wrong_basis_is_a_mistake():
    assert mistakes('[[statements]]\nsubject = "ai"\naction = "block"\nbasis = "laws"\n') == [
        "line 4: statements[1].basis: wanted one of operator, law, request; found 'laws'; did you mean law?"
    ]
    assert mistakes('[[statements]]\nsubject = "ai"\naction = "monitor"\nbasis = "law"\n') == [
        "line 4: statements[1].basis: is of what blocks; monitor has none"
    ]


EXCEPTION = """
[[groups]]
name = "lab"
members = []

[[exceptions]]
subject = "mistral"
{who}
reason = "trial"
owner = "Ann"
ticket = "IT-1"
expires = {expires}
"""


def test_exception_is_read():
    soon = ahead(7)
    for who, client, group in (
        ("", None, None),
        ('client = "::ffff:192.0.2.7"', "192.0.2.7", None),
        ('group = "lab"', None, "lab"),
    ):
        (found,) = read(EXCEPTION.format(who=who, expires=soon.isoformat())).exceptions
        assert found == PolicyException(
            Subject.from_text("vendor:mistral"), soon, "trial", "Ann", client, group, "IT-1",
            state=ExceptionState.APPROVED,
        )  # fmt: skip


def test_exception_that_has_ended_is_read_and_counts_as_none():
    policy = read(EXCEPTION.format(who="", expires="2020-01-01T00:00:00Z"))
    assert len(policy.exceptions) == 1
    assert policy.without_ended(datetime.now(UTC)).exceptions == ()


def test_mistakes_of_exceptions():
    text = EXCEPTION.format(who='client = "here"\ngroup = "labb"', expires='"soon"').replace('owner = "Ann"\n', "")
    assert mistakes(text) == [
        "line 6: exceptions[1].owner: is missing",
        "line 8: exceptions[1].client: 'here' is no address such as 192.0.2.7 or 2001:db8::7",
        "line 9: exceptions[1].group: there is no group 'labb' in this file; did you mean lab?",
        "line 12: exceptions[1].expires: wanted a time with its zone, such as 2030-12-31T18:00:00Z without quotes; "
        "found soon",
    ]
    twice = EXCEPTION.format(who="", expires=ahead(7).isoformat())
    twice += twice[twice.index("[[exceptions]]") :]
    assert mistakes(twice) == [
        "line 13: exceptions[2]: is the exception on vendor:mistral for all again, which is exceptions[1]"
    ]
    (far,) = mistakes(EXCEPTION.format(who="", expires=ahead(400).isoformat()))
    assert far == "line 12: exceptions[1].expires: is more than a year ahead; an exception is asked for anew each year"
    (bare,) = mistakes('[[exceptions]]\nsubject = "ai"\nreason = "r"\nowner = "o"\n')
    assert bare == "line 1: exceptions[1].expires: is missing"
    both = EXCEPTION.format(who='client = "192.0.2.7"\ngroup = "lab"', expires=ahead(7).isoformat())
    assert mistakes(both) == ["line 8: exceptions[1].client: give a client or a group, not both"]
    assert mistakes("[[exception]]\n") == ["line 1: exception: is no table of a policy; did you mean exceptions?"]
