import pytest

from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from tests.feeds.reading import names, read, rejections, rules, why


@pytest.mark.parametrize(
    ("row", "match", "name"),
    [
        ("||a.example^", Match.SUFFIX, "a.example"),
        ("||A.EXAMPLE^", Match.SUFFIX, "a.example"),
        ("  ||a.example^  ", Match.SUFFIX, "a.example"),
        ("||a.example^|", Match.SUFFIX, "a.example"),
        ("||a.example|", Match.SUFFIX, "a.example"),
        ("||a.example^*", Match.SUFFIX, "a.example"),
        ("||a.example/*", Match.SUFFIX, "a.example"),
        ("||bücher.example^", Match.SUFFIX, "xn--bcher-kva.example"),
        ("|a.example^", Match.EXACT, "a.example"),
        ("|a.example|", Match.EXACT, "a.example"),
        ("://a.example^", Match.EXACT, "a.example"),
        ("http://a.example^", Match.EXACT, "a.example"),
        ("||*.a.example^", Match.BELOW, "a.example"),
        ("*.a.example^", Match.BELOW, "a.example"),
        (".a.example^", Match.BELOW, "a.example"),
        ("*.a.example|", Match.BELOW, "a.example"),
        ("*.a.example", Match.MASK, "*.a.example"),
        ("a.example^", Match.MASK, "a.example^"),
        ("||deep*.example^", Match.MASK, "||deep*.example^"),
        ("deep**seek", Match.MASK, "deep*seek"),
        ("-ads-", Match.MASK, "-ads-"),
        ("_prebid_", Match.MASK, "_prebid_"),
        ("_728x90.", Match.MASK, "_728x90."),
        ("/stats.", Match.MASK, "|stats."),
        ("a.example", Match.EXACT, "a.example"),
        ("a.example # comment", Match.EXACT, "a.example"),
        ("a.example ## comment", Match.EXACT, "a.example"),
        ("bücher.example", Match.EXACT, "xn--bcher-kva.example"),
        ("0.0.0.0 a.example # comment", Match.EXACT, "a.example"),
    ],
)
def test_patterns(row: str, match: Match, name: str) -> None:
    """R-L04."""
    assert names(row, "adblock", local=True) == [(match, name)]


@pytest.mark.parametrize(("local", "match", "name"), [(True, Match.MASK, "||a.com"), (False, Match.SUFFIX, "a.com")])
def test_a_name_without_an_end_is_open_only_in_a_local_list(local: bool, match: Match, name: str) -> None:
    """R-L04: AdGuard's `||a.com` reaches `a.com.example` too; from a remote list it is taken for what it shows."""
    assert names("||a.com", "adblock", local=local) == [(match, name)]
    assert names("||ads.x", "adblock", local=local) == [(Match.MASK, "||ads.x")]


@pytest.mark.parametrize(
    "row",
    [
        "! comment",
        "!#include other.txt",
        "!#if adguard",
        "# comment",
        "#comment",
        "#### HAPPY",
        "### heading",
        "##",
        "[Adblock Plus 2.0]",
        "[Adblock Plus 2.0]  ",
        "",
        "  ",
        "127.0.0.1 localhost",
    ],
)
def test_comments_and_headers_say_nothing(row: str) -> None:
    """R-L08."""
    assert read(row, "adblock") == []


@pytest.mark.parametrize(
    "row",
    [
        "a.example##.ad",
        "a.example#@#.ad",
        "a.example#?#div:has(a)",
        "a.example#@?#div",
        "a.example#$#body { }",
        "a.example#@$#body { }",
        "a.example#$?#body",
        "a.example#%#//scriptlet('x')",
        "a.example#@%#x",
        "a.example$$script[tag-content='x']",
        "a.example$@$script",
        "##.ad",
        "###ad",
        "~a.example,b.example##.ad",
        "*##.ad",
    ],
)
def test_rules_about_pages_never_block_the_site(row: str) -> None:
    """R-L08."""
    assert why(row, "adblock", local=True).startswith("a cosmetic, script or HTML rule")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("||a.example/path^", "a URL or path"),
        ("|https://a.example^", "a URL or path"),
        ("/banner/img$", "a URL or path"),
        ("/unclosed[regex", "a URL or path"),
        ("||a.example^*ads", "^ inside a name"),
        ("||a.example|b", "| inside a name"),
        ("||192.0.2.1^", "an address"),
        ("||[2001:db8::1]^", "an address"),
        ("|192.0.2.1", "an address"),
        ("||.a.example^", "an empty label"),
        ("||a..example", "an empty label"),
        ("||a.example:8040", "a character no mask has: ':'"),
        ("||bü*.example^", "a character no mask has: 'ü'"),
        ("some text", "a character no mask has: ' '"),
        ("||^", "too wide"),
        ("@@", "too wide"),
        ("*", "too wide"),
        ("||", "too wide"),
        ("/(/", "a regular expression: "),
        ("/(?=x)/", "a regular expression: "),
    ],
)
def test_what_is_refused_even_in_a_local_list(row: str, reason: str) -> None:
    """R-L09."""
    assert why(row, "adblock", local=True).startswith(reason)


def test_refusals_point_at_the_place() -> None:
    found = rejections(read("  @@||a.example^$third-party\n@@||foo..example^\n", "adblock"))
    assert [(r.line, r.column) for r in found] == [(1, 18), (2, 9)]


@pytest.mark.parametrize(
    "modifier",
    [
        "third-party", "~third-party", "3p", "all", "document", "popup", "script", "image", "xhr", "subdocument",
        "domain=b.example", "app=org.example", "match-case", "removeparam=x", "redirect=noop.js", "csp=x", "network",
        "unknown", "", "Important", "dnstype=A,script", "important,third-party", "replace=/a/b/",
    ],
)  # fmt: skip
def test_an_unknown_or_browser_modifier_ignores_the_whole_row(modifier: str) -> None:
    """R-L07."""
    assert "so the row is ignored" in why(f"||a.example^${modifier},x", "adblock", local=True)
    assert len(rejections(read(f"@@||a.example^${modifier},x", "adblock", local=True))) == 1


def test_exceptions_importance_and_badfilter() -> None:
    """R-L05."""
    found = rules(
        read("@@||a.example^\n||a.example^$important\n@@||a.example^$important\n||a.example^$badfilter", "adblock")
    )
    assert [(r.action, r.important, r.disables) for r in found] == [
        (RuleAction.ALLOW, False, False),
        (RuleAction.BLOCK, True, False),
        (RuleAction.ALLOW, True, False),
        (RuleAction.BLOCK, False, True),
    ]


@pytest.mark.parametrize(
    ("modifiers", "condition"),
    [
        ("dnstype=A", Condition(qtypes=(1,))),
        ("dnstype=aaaa|HTTPS", Condition(qtypes=(28, 65))),
        ("dnstype=~A|~CNAME", Condition(not_qtypes=(1, 5))),
        ("dnstype=~A|AAAA", Condition(qtypes=(28,), not_qtypes=(1,))),
        ("denyallow=b.a.example|COM", Condition(denyallow=("b.a.example", "com"))),
        ("client=192.0.2.1|~kids", Condition(clients=("192.0.2.1", "~kids"))),
        ("client=192.0.2.9/24", Condition(clients=("192.0.2.0/24",))),
        ("client=2001:DB8::/32", Condition(clients=("2001:db8::/32",))),
        ("client='Frank\\'s laptop'", Condition(clients=("Frank's laptop",))),
        ('client="Frank\'s phone"', Condition(clients=("Frank's phone",))),
        ("client=~'Mary\\'s\\, and Boris\\'s'|'a\\|b'", Condition(clients=("~Mary's, and Boris's", "a|b"))),
        ("client='\\$-client'", Condition(clients=("$-client",))),
        ("client=192.0.2.1,dnstype=A,important", Condition(qtypes=(1,), clients=("192.0.2.1",))),
    ],
)
def test_conditions(modifiers: str, condition: Condition) -> None:
    """R-L06."""
    (rule,) = rules(read(f"||a.example^${modifiers}", "adblock", local=True))
    assert rule.condition == condition
    assert rule.important is modifiers.endswith("important")


@pytest.mark.parametrize(
    ("modifiers", "reason"),
    [
        ("dnstype", "the modifier dnstype needs a value"),
        ("dnstype=", "dnstype knows no type ''"),
        ("dnstype=A|NOSUCH", "dnstype knows no type 'NOSUCH'"),
        ("important=1", "the modifier important takes no value"),
        ("client", "the modifier client needs a value"),
        ("client=a||b", "an empty client"),
        ("client=''", "an empty client"),
        ("denyallow=~a.example", "denyallow takes no ~"),
        ("denyallow=", "an empty label"),
        ("denyallow=a.*", "a wildcard"),
        ("ctag=device_phone", "client tags are not known here"),
        ("ctag=~device_phone", "client tags are not known here"),
        ("dnsrewrite", "the modifier dnsrewrite needs a value"),
        ("dnsrewrite=", "the modifier dnsrewrite needs a value"),
        ("dnsrewrite=A;192.0.2.1", "dnsrewrite is a value, or RCODE;TYPE;VALUE"),
    ],
)
def test_a_bad_value_ignores_the_whole_row(modifiers: str, reason: str) -> None:
    """R-L06: right, or the whole row ignored, never half."""
    assert why(f"||a.example^${modifiers}", "adblock", local=True).startswith(reason)


@pytest.mark.parametrize("pattern", ["*", "||*^", "*^", "a"])
def test_a_pattern_of_hardly_anything_needs_a_condition(pattern: str) -> None:
    """R-L12: AdGuard's ErrTooWideRule; the wide rules of its documentation stand."""
    (rule,) = rules(read(f"{pattern}$denyallow=com|net", "adblock", local=True))
    assert (rule.match, rule.name) == (Match.MASK, pattern)


def test_a_remote_list_may_narrow_but_not_single_out_clients() -> None:
    """R-F08."""
    assert rules(read("||a.example^$dnstype=A,denyallow=b.a.example", "adblock"))
    assert why("||a.example^$client=192.0.2.1", "adblock") == "a remote list may not single out clients"


@pytest.mark.parametrize(
    "value", ["0.0.0.0", "::", "NXDOMAIN", "REFUSED", "NOERROR", "NOERROR;A;0.0.0.0", "NXDOMAIN;;"]
)
def test_a_remote_rewrite_to_nothing_is_a_block(value: str) -> None:
    """R-F08."""
    assert rules(read(f"|a.example^$dnsrewrite={value}", "adblock")) == [Rule(Match.EXACT, "a.example", line=1)]


@pytest.mark.parametrize(
    "row",
    [
        "||a.example^$dnsrewrite=192.0.2.1",
        "||a.example^$dnsrewrite=127.0.0.1",
        "||a.example^$dnsrewrite=NOERROR;A;127.0.0.1",
        "||a.example^$dnsrewrite=b.example",
        "@@||a.example^$dnsrewrite",
        "@@||a.example^$dnsrewrite=NXDOMAIN",
    ],
)
def test_a_remote_list_never_chooses_an_answer(row: str) -> None:
    """R-F08."""
    assert why(row, "adblock") == "a remote list may not choose answers (dnsrewrite)"


def test_expressions_keep_their_text_and_take_modifiers() -> None:
    """R-L10."""
    found = rules(read("/^ads?\\.[a-z]$/\n@@/^x$/$important,dnstype=A\n/a,b/\n/^(a+)+$/", "adblock", local=True))
    assert [r.name for r in found] == ["^ads?\\.[a-z]$", "^x$", "a,b", "^(a+)+$"]
    assert all(r.match is Match.REGEX for r in found)
    assert found[1].important
