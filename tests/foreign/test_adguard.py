"""AdGuard Home: its configuration, new and old, read whole or refused with the line."""

import pytest

from sinkhole.app.subjects import read_subject
from sinkhole.catalogue.load import load_catalogue
from sinkhole.errors import ForeignFileError
from sinkhole.feeds.print_rule import print_rule
from sinkhole.foreign.adguard import read_adguard
from sinkhole.foreign.adguard_services import SUBJECTS
from sinkhole.foreign.zone_of_machine import local_zone
from sinkhole.packaged import packaged_path
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.verdict import Action
from tests.foreign.builders import ADGUARD


@pytest.fixture
def read(tmp_path):
    def _read(text):
        path = tmp_path / "AdGuardHome.yaml"
        path.write_text(text)
        return read_adguard(path)

    return _read


def notes(found):
    return {note.item: note.why for note in found.notes}


def test_each_service_is_something_in_the_catalogue():
    catalogue = load_catalogue(packaged_path("blocklists"))
    for word, subject in SUBJECTS.items():
        assert str(read_subject(subject, catalogue, ())) == subject, word


def test_lists(read):
    found = read(ADGUARD)
    assert [(one.hint, one.is_enabled, one.scopes) for one in found.lists] == [
        ("AdGuard DNS filter", True, (None,)),
        ("AdAway Default Blocklist", False, (None,)),
    ]
    assert notes(found)["https://lists.example.org/allow.txt"].startswith("a remote list that allows")


def test_rules(read):
    found = read(ADGUARD)
    assert [print_rule(one.rule) for one in found.rules] == [
        "||ads.example.org^",
        "@@||good.example.net^",
        "||example.net^",
        "|only.example.com^",
        "||sure.example^$important",
        "@@||part.sure.example^",
        "||v4.example^$dnstype=A",
        "||alice.example^$client=192.0.2.7",
        "||child.example^$client=192.0.2.7",
        "|box.example^$dnsrewrite=NOERROR;A;192.0.2.44",
        r"/^track[0-9]+\./",
        "||gone.example^",
        "||gone.example^$badfilter",
    ]
    told = notes(found)
    assert told["||nobody.example^$ctag=user_admin"] == "no client that is known by an address has the tag user_admin"
    assert told["example.org##.banner"].startswith("a cosmetic, script or HTML rule")
    places = {str(note.place) for note in found.notes}
    row = next(n for n, line in enumerate(ADGUARD.splitlines(), 1) if "user_admin" in line)
    assert f"AdGuardHome.yaml, line {row}: user_rules[10]" in places


def test_records(read):
    found = read(ADGUARD)
    assert [one.text for one in found.records] == [
        "printer.lan A 192.0.2.55",
        "55.2.0.192.in-addr.arpa PTR printer.lan",
        "nas.lan A 192.0.2.10",
        "*.app.lan CNAME nas.lan",
    ]
    assert notes(found)["kept.lan -> A"].startswith("an exception to a rewrite")
    assert notes(found)["off.lan -> 192.0.2.11"] == "is disabled"


def test_services_are_blocked_outside_of_their_pause(read):
    found = read(ADGUARD)
    said = {(one.subject, one.action, one.scope): one.schedule for one in found.statements}
    times = schedule_from_text("mon 00:00-12:00,13:30-24:00; tue-sat 00:00-24:00 @Europe/Berlin")
    assert said == {
        ("vendor:openai", Action.BLOCK, None): times,
        ("vendor:deepseek", Action.BLOCK, "alice-s-laptop"): None,
        ("vendor:openai", Action.ALLOW, "alice-s-laptop"): None,
    }
    assert notes(found)["tiktok"] == "a service that is no AI; block its domains, or a list of them"


def test_clients(read):
    found = read(ADGUARD)
    (alice,) = found.groups
    assert (alice.name, alice.members[0]) == ("alice-s-laptop", "192.0.2.7")
    assert found.outside == ["198.51.100.0/24"]
    assert notes(found)["Plain"] == "follows what holds for all, so no group is needed for it"


def test_settings_are_told(read):
    told = notes(read(ADGUARD))
    assert told["https://dns10.quad9.net/dns-query"] == "set it as one of upstream.servers"
    assert told["[/corp.example/]192.0.2.1"].startswith("set a zone of its own")
    assert told["9.9.9.10"] == "set it as one of upstream.bootstrap"
    assert told["parental_enabled"] == "there is no such guard here"
    assert told["bind_hosts, port, cache_size"].startswith("settings of the server")
    assert told["http, users, tls, dhcp, log"].startswith("is not carried over")
    assert "secret" not in "".join(f"{note}" for note in read(ADGUARD).notes)


def test_older_form(read):
    found = read(
        "dns:\n  filtering_enabled: false\n  blocked_services: [chatgpt]\n"
        "  rewrites: [{domain: nas.lan, answer: 192.0.2.1}]\nuser_rules: []\n"
        "clients:\n- name: Bob\n  ids: [192.0.2.3]\n  use_global_blocked_services: false\n  blocked_services: []\n"
    )
    assert found.is_off
    assert [one.text for one in found.records] == ["nas.lan A 192.0.2.1"]
    assert {(one.subject, one.action, one.scope) for one in found.statements} == {
        ("vendor:openai", Action.BLOCK, None),
        ("vendor:openai", Action.ALLOW, "bob"),
    }


def test_service_with_a_pause_of_its_own_is_allowed_in_it(read):
    found = read(
        "user_rules: []\nfiltering: {blocked_services: {ids: [chatgpt]}}\nclients:\n  persistent:\n"
        "  - name: Bob\n    ids: [192.0.2.3]\n    use_global_blocked_services: false\n    blocked_services:\n"
        "      schedule: {time_zone: UTC, mon: {start: 1h, end: 2h0m0s}}\n      ids: [chatgpt]\n"
    )
    said = {(one.action, one.scope): one.schedule for one in found.statements}
    assert said[Action.ALLOW, "bob"] == schedule_from_text("mon 01:00-02:00 @UTC")
    assert said[Action.BLOCK, "bob"] == schedule_from_text("mon 00:00-01:00,02:00-24:00; tue-sun 00:00-24:00 @UTC")
    assert said[Action.BLOCK, None] is None


def test_pause_that_never_ends(read):
    days = ", ".join(f"{day}: {{start: 0s, end: 24h}}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    found = read(
        f"user_rules: []\nfiltering: {{blocked_services: {{ids: [chatgpt], schedule: {{time_zone: UTC, {days}}}}}}}"
    )
    assert found.statements == []
    assert notes(found)["chatgpt"].startswith("its pause never ends")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user_rules: {a: b}", "line 1: user_rules: wanted a list; found a mapping"),
        ("filters:\n- url: [x]\n", "line 2: filters[0].url: wanted a text; found a list"),
        ("filters:\n- enabled: perhaps\n", "line 2: filters[0].enabled: wanted true or false; found a text"),
        ("dns: text", "line 1: dns: wanted a mapping; found a text"),
        ("user_rules: []\nfiltering:\n  blocked_services:\n    schedule:\n      mon: {start: 8 o'clock}\n",
         "line 5: filtering.blocked_services.schedule.mon.start: wanted a duration such as 8h30m; found \"8 o'clock\""),
        ("user_rules: []\nfiltering: {blocked_services: {schedule: {time_zone: Mars, mon: {start: 1h, end: 2h}}}}",
         "there is no time zone 'Mars'"),
        ("user_rules: []\nfiltering: {blocked_services: {schedule: {mon: {end: 25h}}}}", "wanted at most 24h"),
    ],
)  # fmt: skip
def test_values_of_another_kind(read, text, said):
    with pytest.raises(ForeignFileError) as error:
        read(text)
    assert said in str(error.value)
    assert str(error.value).startswith("AdGuardHome.yaml")


@pytest.mark.parametrize("text", ["blocking:\n  denylists: {}\nports: {}\n", "a: 1", "0.0.0.0 x.org", "[1]"])
def test_file_of_another_kind(read, text):
    with pytest.raises(ForeignFileError, match="AdGuardHome"):
        read(text)


@pytest.mark.parametrize(
    "row",
    ["||x^$ctag=", "||x^$client=", "||x.org^$client='Nobody'", "||x.org^$unknown", "/(/", "||x.org/path", "\x1b[2J",
     "192.0.2.1", "192.0.2.1 a/b", "||x.org^$dnsrewrite=NOPE", "*"],
)  # fmt: skip
def test_rule_with_no_counterpart_is_told(read, row):
    quoted = row.replace("'", "''").replace("\x1b", "\\x1b")
    found = read(f"user_rules:\n- '{quoted}'\n" if "\x1b" not in row else f'user_rules:\n- "{quoted}"\n')
    assert (found.rules, found.records) == ([], [])
    assert len([note for note in found.notes if note.place.key.startswith("user_rules[0]")]) == 1


def test_guards_of_a_client_are_told(read):
    found = read(
        "user_rules: []\nclients:\n  persistent:\n  - name: Bob\n    ids: [192.0.2.3, '???']\n"
        "    parental_enabled: true\n"
        "    safe_search: {enabled: true}\n    upstreams: [9.9.9.9]\n"
        "filtering: {safe_search: {enabled: true}, blocking_mode: nxdomain}\n"
    )
    told = notes(found)
    assert told["parental_enabled"] == "there is no such guard here"
    assert told["safe_search"] == "search engines are not rewritten here"
    assert told["9.9.9.9"].startswith("upstreams are the same for all clients")
    assert told["???"].startswith("is no address, network, MAC address")
    assert told["nxdomain"] == "set blocking.mode"


def test_zone_of_this_machine_is_one_that_schedules_know():
    assert schedule_from_text(f"00:00-24:00 @{local_zone()}").zone.key == local_zone()
