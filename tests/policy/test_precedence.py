"""R-B09: precedence is total, documented, and independent of the order in which anything was written."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sinkhole.policy.engine import Policy
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from tests.policy.world import PROTECTED, VENDORS, WAYS, decide, listed

NAMES = (
    "deepseek.example", "v1.api.deepseek.example", "status.deepseek.example", "log.shared.example",
    "model.eu.cloud.example", "notes.cloud.example", "writer.example", "update.example", "example.org",
    "a.tunnel.example", "mirror.example",
)  # fmt: skip
CLIENTS = ("192.0.2.7", "192.0.2.77", "198.51.100.1", "nonsense")
GROUPS = (
    Group("desk", ("192.0.2.7",)),
    Group("floor", ("192.0.2.0/26",)),
    Group("staff", ("192.0.2.0/24",), order=1),
    Group("guests", ("192.0.2.0/24",), order=2),
    Group("visitors", ("192.0.2.0/24",), order=2),
)
PLACES = {"192.0.2.7": ["desk", "floor", "staff"], "192.0.2.77": ["staff"]}
"""The groups of a client in order; guests and visitors share the place after staff."""

SUBJECTS = (
    "ai", "vendor:deepseek", "vendor:cloud", "vendor:writer", "product:deepseek/api", "product:deepseek/chat",
    "product:deepseek/telemetry", "category:chat", "category:api", "category:code", "jurisdiction:CN",
    "jurisdiction:US", "models:deepseek", "models:cloud", "bypass:tunnel", "bypass:mirror", "bypass:gateway",
    "feed:one", "feed:two", "domain:example", "domain:deepseek.example",
    "domain:api.deepseek.example", "domain:org", "domain:update.example",
)  # fmt: skip

NOW_TOO, NOT_NOW = schedule_from_text("mon 22:00-22:00 @Asia/Kolkata"), schedule_from_text("mon 00:00-24:00 @UTC")
"""NOW is Tuesday noon, in Kolkata half past five: within the day that began on Monday evening."""

said = st.lists(
    st.builds(
        Statement,
        st.integers(1, 9999),
        st.sampled_from(SUBJECTS).map(Subject.from_text),
        st.sampled_from(Action),
        st.sampled_from([None, *(group.name for group in GROUPS)]),
        schedule=st.sampled_from([None, None, NOW_TOO, NOT_NOW]),
    ),
    max_size=8,
    unique_by=lambda statement: statement.id,
)
rows = st.lists(
    st.builds(
        Rule,
        st.sampled_from([Match.EXACT, Match.SUFFIX, Match.BELOW]),
        st.sampled_from([*NAMES, "example"]),
        st.sampled_from([RuleAction.BLOCK, RuleAction.BLOCK, RuleAction.ALLOW]),
        st.booleans(),
        line=st.integers(1, 9999),
    ),
    max_size=5,
    unique_by=lambda rule: rule.line,
)


def build(
    statements: list[Statement], one: list[Rule], two: list[Rule], groups=GROUPS, vendors=VENDORS, ways=WAYS
) -> Policy:
    feeds: list[FeedRules] = [listed("one", *one, part_of_ai=True), listed("two", *two)]
    return Policy(NameIndex.from_rules(feeds, vendors, PROTECTED, ways), statements, groups, BlockAnswer(), 1)


@given(said, rows, rows, st.sampled_from(NAMES), st.sampled_from(CLIENTS), st.randoms())
def test_order_of_statements_rows_groups_and_vendors_never_matters(statements, one, two, name, client, random):
    """R-B09."""

    def shuffled(items):
        return random.sample(list(items), len(items))

    plain = decide(build(statements, one, two), name, client, explain=True)
    mixed = build(
        shuffled(statements), shuffled(one), shuffled(two), shuffled(GROUPS), shuffled(VENDORS), shuffled(WAYS)
    )
    assert decide(mixed, name, client, explain=True) == plain


# What reaches a name, written out by hand: the model does not use the index.
REACH = {
    "deepseek.example": ("product:deepseek/chat", "vendor:deepseek", "models:deepseek", "category:chat",
                         "category:code", "jurisdiction:CN", "ai"),
    "v1.api.deepseek.example": ("product:deepseek/api", "vendor:deepseek", "models:deepseek", "category:api",
                                "jurisdiction:CN", "bypass:gateway", "ai"),
    "log.shared.example": ("product:deepseek/telemetry",),
    "model.eu.cloud.example": ("product:cloud/models", "vendor:cloud", "models:cloud", "models:deepseek",
                               "category:api", "jurisdiction:US", "bypass:gateway", "ai"),
    "notes.cloud.example": ("product:cloud/notes", "vendor:cloud", "models:cloud", "category:chat", "jurisdiction:US",
                            "ai"),
    "writer.example": ("product:writer/app", "vendor:writer", "models:writer", "category:chat", "jurisdiction:US"),
    "a.tunnel.example": ("bypass:tunnel",),
    "mirror.example": ("bypass:mirror", "ai"),
}  # fmt: skip
IMMUNE = {"status.deepseek.example", "update.example", "notes.cloud.example"}


def list_blocks(rules: list[Rule], name: str) -> bool:
    """Whether the strongest row that matches blocks."""
    strengths = [
        (False, RuleAction.BLOCK),
        (False, RuleAction.ALLOW),
        (True, RuleAction.BLOCK),
        (True, RuleAction.ALLOW),
    ]
    matching = []
    for rule in rules:
        is_below = name.endswith("." + rule.name)
        is_hit = {Match.EXACT: name == rule.name, Match.BELOW: is_below}.get(rule.match, is_below or name == rule.name)
        if is_hit:
            matching.append(strengths.index((rule.important, rule.action)))
    return bool(matching) and strengths[max(matching)][1] is RuleAction.BLOCK


def subjects_of(name: str, one: list[Rule], two: list[Rule]) -> set[str]:
    reach = set(REACH.get(name, ()))
    if name not in IMMUNE:
        if list_blocks(one, name):
            reach |= {"feed:one", "ai"}
        if list_blocks(two, name):
            reach.add("feed:two")
    labels = name.split(".")
    return reach | {"domain:" + ".".join(labels[n:]) for n in range(len(labels))}


def scope_place(statement: Statement, client: str) -> int | None:
    places = PLACES.get(client, [])
    if statement.group is None:
        return 99
    if statement.group in places:
        return places.index(statement.group)
    return 50 if places and statement.group in ("guests", "visitors") else None


def strength(statement: Statement, client: str) -> tuple[int, int, int, int]:
    """The documented precedence, as one sort key; the lesser wins."""
    subject = statement.subject
    length = subject.value.count(".") if subject.kind is SubjectKind.DOMAIN else 0
    return (-subject.kind, -length, scope_place(statement, client) or 0, -statement.action)


@settings(max_examples=300)
@given(said, rows, rows, st.sampled_from(NAMES), st.sampled_from(CLIENTS))
def test_precedence_is_the_documented_one(statements, one, two, name, client):
    """R-B08, R-B09, R-B12: domain > … > ai, then client > group > all, then block > monitor > allow."""
    reach = subjects_of(name, one, two)
    matching = [
        s for s in statements
        if str(s.subject) in reach and scope_place(s, client) is not None and s.schedule is not NOT_NOW
    ]  # fmt: skip
    verdict = decide(build(statements, one, two), name, client)
    assert isinstance(verdict, Verdict)
    if not matching:
        assert (verdict.action, verdict.subject) == (Action.ALLOW, None)
        return
    best = min(matching, key=lambda s: strength(s, client))
    assert verdict.action is best.action
    winner = next(s for s in statements if s.id == verdict.statement)
    assert strength(winner, client) == strength(best, client)
