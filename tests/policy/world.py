"""A small catalogue and short ways to say statements, rules and policies."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sinkhole.policy.bypass import Bypass
from sinkhole.policy.engine import Policy
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, DomainRole, Product, Stated, Vendor, VendorKind
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from sinkhole.protocol.names import name_from_text

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
A = 1
AAAA = 28


def domain(name: str, match: DomainMatch = DomainMatch.SUFFIX, *, opt_in: bool = False) -> CatalogueDomain:
    return CatalogueDomain(name, DomainRole.WEB, match, opt_in, "test", "2026-11-24", "2026-11-24")


def product(
    product_id: str, *domains: CatalogueDomain, categories: tuple[str, ...] = ("chat",), serves: tuple[str, ...] = ()
) -> Product:
    return Product(product_id, product_id, categories, domains, serves=serves)


def vendor(vendor_id: str, *products: Product, jurisdiction: str = "CN", not_default: bool = False, never=()) -> Vendor:
    return Vendor(
        id=vendor_id,
        name=vendor_id,
        kind=VendorKind.AI_NATIVE,
        owner=Stated("owner", "high", "test"),
        jurisdiction=Stated(jurisdiction, "high", "test"),
        confidence="high",
        source="test",
        products=products,
        never_block=tuple(never),
        not_default=not_default,
    )


DEEPSEEK = vendor(
    "deepseek",
    product("deepseek/chat", domain("deepseek.example"), categories=("chat", "code")),
    product("deepseek/api", domain("api.deepseek.example"), categories=("api",)),
    product("deepseek/telemetry", domain("log.shared.example", DomainMatch.EXACT, opt_in=True)),
    never=("status.deepseek.example",),
)
CLOUD = vendor(
    "cloud",
    product(
        "cloud/models", domain("model.*.cloud.example", DomainMatch.WILDCARD), categories=("api",), serves=("deepseek",)
    ),
    product("cloud/notes", domain("notes.cloud.example", DomainMatch.EXACT)),
    jurisdiction="US",
)
WRITER = vendor("writer", product("writer/app", domain("writer.example")), jurisdiction="US", not_default=True)
VENDORS = (DEEPSEEK, CLOUD, WRITER)
TUNNEL = Bypass("tunnel", "Tunnels", "Past the resolver.", (domain("tunnel.example"),), action=Action.BLOCK)
MIRROR = Bypass("mirror", "Mirrors", "Copies.", (domain("mirror.example"),), part_of_ai=True)
GATEWAY = Bypass("gateway", "Gateways", "Programming interfaces.", (), action=Action.MONITOR, categories=("api",))
WAYS = (TUNNEL, MIRROR, GATEWAY)
PROTECTED = ("update.example", "notes.cloud.example")


def statement(number: int, text: str, group: str | None = None, **fields: object) -> Statement:
    """Read `block vendor:deepseek`."""
    action, subject = text.split(" ", 1)
    return Statement(number, Subject.from_text(subject), Action.from_text(action), group, **fields)  # type: ignore[arg-type]


def statements(*texts: str) -> list[Statement]:
    """Read several; `block ai for staff` names a group."""
    made = []
    for number, text in enumerate(texts, 1):
        said, _, group = text.partition(" for ")
        made.append(statement(number, said, group or None))
    return made


def override(text: str, number: int = 1, *, client: str | None = None, hours: float = 1, **fields: object) -> Override:
    """Read `pause`, `lockdown ai lookalikes`, `exception vendor:deepseek for staff`; it ends in an hour."""
    said, _, group = text.partition(" for ")
    kind, *subjects = said.split()
    return Override(
        OverrideKind(kind), number, tuple(map(Subject.from_text, subjects)), NOW + timedelta(hours=hours),
        client=client, group=group or None, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def listed(name: str, *rules: Rule | str, part_of_ai: bool = False, local: bool = False) -> FeedRules:
    """Make a list; text is a domain with all below it."""
    rows = [Rule(Match.SUFFIX, rule, line=n) if isinstance(rule, str) else rule for n, rule in enumerate(rules, 1)]
    return FeedRules(Feed(name, f"https://lists.example/{name}", part_of_ai=part_of_ai, local=local), rows)


def make_policy(
    said: Sequence[Statement | str],
    *feeds: FeedRules,
    groups: Sequence[Group] = (),
    vendors: Sequence[Vendor] = VENDORS,
    protected: Sequence[str] = PROTECTED,
    ways: Sequence[Bypass] = WAYS,
    answer: BlockAnswer = BlockAnswer(),  # noqa: B008 - immutable
    overrides: Sequence[Override] = (),
) -> Policy:
    texts = [one for one in said if isinstance(one, str)]
    made = [one for one in said if isinstance(one, Statement)] + statements(*texts)
    return Policy(NameIndex.from_rules(feeds, vendors, protected, ways), made, groups, answer, 1, overrides=overrides)


def decide(policy: Policy, name: str, client: str = "192.0.2.1", *, qtype: int = A, explain: bool = False) -> Verdict:
    return policy.decide(name_from_text(name), qtype, policy.scope_of(client), NOW, explain=explain)
