"""What an import would do, from what was read: things that are here already, and what cannot be done."""

import pytest

from sinkhole.app import data_dir
from sinkhole.app.import_plan import plan_import
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.errors import ForeignFileError
from sinkhole.foreign.model import (
    Foreign,
    ForeignGroup,
    ForeignList,
    ForeignRecord,
    ForeignRule,
    ForeignStatement,
    Place,
)
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.verdict import Action

PLACE = Place("file", 1)
NIGHT = schedule_from_text("22:00-06:00 @UTC")
NOON = schedule_from_text("12:00-13:00 @UTC")
ADS = Rule(Match.EXACT, "ads.example.org")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A fresh installation; planning changes nothing, so one is enough."""
    folder = tmp_path_factory.mktemp("data")
    data_dir.prepare(folder)
    found = open_state(load_settings(None, {}, {"server.data_dir": folder}))
    yield found
    found.close()


def statements(plan) -> set[tuple[str, str, str | None, str | None]]:
    """Return the statements that are new."""
    new = set(plan.after.statements) - set(plan.before.statements)
    return {(str(s.subject), str(s.action), s.group, None if s.schedule is None else str(s.schedule)) for s in new}


def whys(plan) -> list[str]:
    return [note.why for note in plan.foreign.notes]


def test_list_of_the_subject_ai_gets_no_statement(state):
    (url,) = [feed.url for feed, _ in state.feeds.all() if feed.name == "ut1-ai"]
    foreign = Foreign("x", groups=[ForeignGroup("kids", ("192.0.2.1",), PLACE)])
    foreign.lists = [ForeignList(url, ("kids",), PLACE)]
    plan = plan_import(state, foreign, None)
    assert (statements(plan), plan.feeds) == (set(), ())
    assert whys(plan) == ["is feed ut1-ai here, whose rows belong to ai for all clients"]


def test_feed_that_is_here_goes_on_to_hold_for_all(state):
    (url,) = [feed.url for feed, _ in state.feeds.all() if feed.name == "doh"]
    foreign = Foreign("x", outside=["192.0.2.1"], lists=[ForeignList(url, (None,), PLACE)])
    plan = plan_import(state, foreign, None)
    assert statements(plan) == set()
    assert "is feed doh here, which goes on to hold for group x-outside too" in whys(plan)


def test_url_that_is_named_twice_is_one_feed(state):
    url = "https://lists.example.org/ads.txt"
    foreign = Foreign("x", groups=[ForeignGroup("kids", ("192.0.2.1",), PLACE)])
    foreign.lists = [
        ForeignList(url, (None,), PLACE, is_enabled=False, schedule=NIGHT),
        ForeignList(url, ("kids",), PLACE, schedule=NOON),
    ]
    plan = plan_import(state, foreign, None)
    assert [(feed.name, feed.enabled, feed.format) for feed in plan.feeds] == [("x-ads", True, "adblock")]
    assert statements(plan) == {("feed:x-ads", "block", None, None), ("feed:x-ads", "block", "kids", None)}
    assert whys(plan) == ["is named with several schedules; it holds at all times here"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://x.example/list", "is fetched over https only"),
        ("/opt/list.txt", "is fetched over https only"),
        ("https:///list", "is fetched over https only"),
        ("https://x.example/\x1b[2J", "is fetched over https only"),
        ("https://[x", "not a URL"),
        ("", "is fetched over https only"),
    ],
)
def test_url_that_cannot_be_fetched_is_told(state, url, why):
    plan = plan_import(state, Foreign("x", lists=[ForeignList(url, (None,), PLACE)]), None)
    assert plan.is_empty
    assert whys(plan)[0].startswith(why)


def test_http_is_told(state):
    plan = plan_import(state, Foreign("x", lists=[ForeignList("http://x.example/list", (None,), PLACE)]), None)
    assert len(plan.feeds) == 1
    assert whys(plan) == ["is fetched over http, which feeds.allow_http must permit"]


def test_rules_with_schedules_have_list_files_of_their_own(state):
    foreign = Foreign("x", groups=[ForeignGroup("kids", ("192.0.2.1",), PLACE)])
    foreign.rules = [
        ForeignRule(ADS, (None,), PLACE),
        ForeignRule(ADS, (None, "kids"), PLACE, schedule=NIGHT),
        ForeignRule(ADS, ("kids",), PLACE, schedule=NOON),
    ]
    plan = plan_import(state, foreign, None)
    assert statements(plan) == {
        ("feed:x-rules", "block", None, None),
        ("feed:x-rules-1", "block", None, str(NIGHT)),
        ("feed:x-rules-kids-1", "block", "kids", str(NIGHT)),
        ("feed:x-rules-kids-2", "block", "kids", str(NOON)),
    }
    assert sorted(file.path.name for file in plan.files) == [
        "x-rules-1.txt", "x-rules-kids-1.txt", "x-rules-kids-2.txt", "x-rules.txt",
    ]  # fmt: skip


def test_client_within_a_network_of_another_group_is_told(state):
    foreign = Foreign("x")
    foreign.groups = [
        ForeignGroup("kids", ("192.0.2.0/24", "2001:db8::/32"), PLACE),
        ForeignGroup("tv", ("192.0.2.7", "198.51.100.7", "2001:db8::7"), PLACE),
    ]
    plan = plan_import(state, foreign, None)
    assert [(note.item, note.why.partition(",")[0]) for note in plan.foreign.notes] == [
        ("192.0.2.7", "is within 192.0.2.0/24 of group kids"),
        ("2001:db8::7", "is within 2001:db8::/32 of group kids"),
    ]


def test_subject_that_the_catalogue_does_not_have_is_told(state):
    foreign = Foreign("x", statements=[ForeignStatement("vendor:deepsek", Action.BLOCK, None, PLACE)])
    plan = plan_import(state, foreign, None)
    assert plan.is_empty
    assert whys(plan)[0].startswith("there is no vendor 'deepsek'; did you mean deepseek")


def test_stricter_of_two_about_the_same_counts(state):
    foreign = Foreign("x")
    foreign.statements = [
        ForeignStatement("vendor:deepseek", action, None, PLACE)
        for action in (Action.ALLOW, Action.BLOCK, Action.ALLOW)
    ]
    assert statements(plan_import(state, foreign, None)) == {("vendor:deepseek", "block", None, None)}


def test_folder_in_the_way_of_a_list_file(state):
    way = state.folder / "lists" / "y-rules.txt"
    way.mkdir()
    with pytest.raises(ForeignFileError, match=r"y-rules\.txt: is in the way, and cannot be read"):
        plan_import(state, Foreign("y", rules=[ForeignRule(ADS, (None,), PLACE)]), None)
    way.rmdir()


def test_records_of_one_name(state):
    lines = ["a.lan A 192.0.2.1", "a.lan A 192.0.2.2", "A.lan A 192.0.2.1", "a.lan CNAME b.lan", "c.lan CNAME d.lan",
             "c.lan CNAME e.lan", "c.lan A 192.0.2.1"]  # fmt: skip
    plan = plan_import(state, Foreign("x", records=[ForeignRecord(line, PLACE) for line in lines]), None)
    assert plan.records == ("a.lan A 192.0.2.1", "a.lan A 192.0.2.2", "c.lan CNAME d.lan")
    assert len(plan.foreign.notes) == 3


def test_too_many_records(state):
    records = [ForeignRecord(f"x{n}.lan A 192.0.2.1", PLACE) for n in range(10_001)]
    with pytest.raises(ForeignFileError, match="10001 local records: more than 10000"):
        plan_import(state, Foreign("x", records=records), None)


def test_exception_for_everybody_is_a_row_where_some_are_outside(state):
    allow = Rule(Match.SUFFIX, "good.example", RuleAction.ALLOW)
    plan = plan_import(state, Foreign("x", rules=[ForeignRule(allow, (None,), PLACE)]), None)
    assert ("domain:good.example", "allow", None, None) in statements(plan)
    foreign = Foreign("x", outside=["192.0.2.1"], rules=[ForeignRule(allow, (None,), PLACE)])
    assert statements(plan_import(state, foreign, None)) == {
        ("feed:x-rules", "block", None, None),
        ("feed:x-rules", "allow", "x-outside", None),
    }
