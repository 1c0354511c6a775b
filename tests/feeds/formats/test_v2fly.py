import pytest

from sinkhole.policy.rule import Match
from tests.feeds.reading import names, read, rejections, rules, why

LISTS = {
    "one": b"a.example @cn\nfull:b.example @!cn @ads\n",
    "two": b"include:one\nc.example # comment\n",
    "self": b"d.example\ninclude:self\n",
    "bad": b"foo..x\ne.example\n",
}


def include(name: str) -> list[bytes] | None:
    return LISTS[name].splitlines() if name in LISTS else None


@pytest.mark.parametrize(
    ("row", "match", "name"),
    [
        ("a.example", Match.SUFFIX, "a.example"),
        ("domain:A.example", Match.SUFFIX, "a.example"),
        ("full:a.example @cn @!ads &other # comment", Match.EXACT, "a.example"),
        ("keyword:deepseek", Match.MASK, "*deepseek*"),
    ],
)
def test_types(row: str, match: Match, name: str) -> None:
    assert names(row, "v2fly") == [(match, name)]


def test_expressions_only_in_local_lists() -> None:
    """R-L11."""
    assert names("regexp:^a\\d+\\.example$", "v2fly", local=True) == [(Match.REGEX, "^a\\d+\\.example$")]
    assert why("regexp:^a\\d+\\.example$", "v2fly").startswith("a regular expression")


def test_includes_are_read_in_place_and_bear_the_line_of_the_row() -> None:
    found = rules(read("x.example\ninclude:two\ny.example\n", "v2fly", include=include))
    assert [(r.name, r.line) for r in found] == [
        ("x.example", 1),
        ("a.example", 2),
        ("b.example", 2),
        ("c.example", 2),
        ("y.example", 3),
    ]


@pytest.mark.parametrize(
    ("mark", "wanted"), [("@cn", ["a.example"]), ("@-cn", ["b.example"]), ("@cn @-ads", ["a.example"])]
)
def test_an_include_may_choose_by_attribute(mark: str, wanted: list[str]) -> None:
    assert [r.name for r in rules(read(f"include:one {mark}", "v2fly", include=include))] == wanted


def test_a_list_that_includes_itself_ends() -> None:
    found = read("include:self\nx.example", "v2fly", include=include)
    assert [r.name for r in rules(found)] == ["d.example", "x.example"]
    assert [(r.line, r.why) for r in rejections(found)] == [(1, "in self, line 2: self includes itself, or too much")]


def test_a_bad_row_of_an_included_list_says_where_it_is() -> None:
    found = read("include:bad", "v2fly", include=include)
    assert rejections(found)[0].why == "in bad, line 1: an empty label"
    assert [r.name for r in rules(found)] == ["e.example"]


def test_an_absent_list_is_refused_and_its_neighbours_work() -> None:
    found = read("include:none\nx.example", "v2fly", include=include)
    assert "not at hand" in rejections(found)[0].why
    assert [r.name for r in rules(found)] == ["x.example"]
    assert "not at hand" in why("include:one", "v2fly")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nosuch:a.example", "v2fly lists have no type 'nosuch'"),
        ("a.example b.example", "wanted attributes"),
        ("a.example @", "wanted attributes"),
        ("full:foo..x", "an empty label"),
        ("keyword:a b", "wanted attributes"),
        ("keyword:(x)", "wanted a part of a name"),
        ("keyword:com", "too wide"),
        ("com", "too wide"),
    ],
)
def test_what_is_refused(row: str, reason: str) -> None:
    assert why(row, "v2fly").startswith(reason)


def test_includes_are_bounded_in_depth_and_number() -> None:
    found = read("include:0", "v2fly", include=lambda name: [f"include:{int(name) + 1}".encode()])
    assert "too much" in rejections(found)[0].why
    wide = read("include:x\n" * 600, "v2fly", include=lambda name: [b"a.example"])
    assert len(rules(wide)) == 500


def test_included_rows_are_bounded_in_all() -> None:
    found = read("include:x\ninclude:x\na.example", "v2fly", include=lambda name: [b"#"] * 250_001)
    assert [r.why for r in rejections(found)] == ["more than 500000 rows are included"]
    assert [r.name for r in rules(found)] == ["a.example"]


def test_included_rows_must_be_text() -> None:
    found = read("include:x", "v2fly", include=lambda name: [b"regexp:a\0b", b"\xff.example", b"a.example"])
    assert [r.why for r in rejections(found)] == ["in x, line 1: a NUL octet", "in x, line 2: not UTF-8"]


def test_comments_say_nothing() -> None:
    assert read("# comment\n\n", "v2fly") == []
