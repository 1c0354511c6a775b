"""`sinkhole clients`, `groups overlaps`, `report bypass|clients`: who was seen, who wins, who looks odd."""

import time

import pytest

from sinkhole.clients.table import write_table
from sinkhole.policy.activity import Activity
from sinkhole.policy.hit import HitRow
from sinkhole.policy.identity import Identity
from sinkhole.store.client_store import HOUR, ClientStore
from sinkhole.store.database import open_store
from sinkhole.store.recorder import HitBatch, Recorder

MAC = "aa:bb:cc:dd:ee:ff"
WHO = Identity(MAC, ("pc7.lab.example",), ("LAPTOP-7",))
NOW = int(time.time())


@pytest.fixture
def lab(run):
    """Groups of every kind of member, and clients that were seen."""
    run("groups", "add", "lab", "id:laptop-7", f"mac:{MAC}", "--order", "50")
    run("groups", "add", "named", "name:*.lab.example")
    run("groups", "add", "house", "192.0.2.0/24")
    store = open_store(run.folder / "store.db")
    seen = [
        Activity("192.0.2.7", NOW - 60, NOW - 50, 5, ("lab",)), Activity("198.51.100.1", NOW - 40, NOW - 30, 2),
        Activity(f"mac:{MAC}", NOW - 20, NOW - 10, 1, ("lab", "house")),
        Activity("p-0123456789ab", NOW, NOW, 1, ("house",)),
    ]  # fmt: skip
    rows = [
        hit("192.0.2.7", "use-application-dns.net"),
        hit("192.0.2.7", "dns.google"),
        hit("198.51.100.1", "dns.google"),
    ]
    Recorder(store, str).write(HitBatch("worker", 1, tuple(rows), 0, tuple(seen)))
    ClientStore(store, str).note_identities([("192.0.2.7", WHO, "laptop")])
    store.close()
    write_table(run.folder / "compiled", {"192.0.2.7": WHO})
    return run


def hit(client, name):
    return HitRow(
        minute=NOW // 60, client=client, group=None, name=name, qtype=1, action="block", vendor=None, product=None,
        feed=None, subject="bypass:encrypted-dns", count=3, first=NOW, last=NOW,
    )  # fmt: skip


def test_members_are_written_in_one_way(run):
    done = run(
        "groups",
        "add",
        "lab",
        "AA-BB-CC-DD-EE-FF",
        "id:LAPTOP-7",
        "name:*.Lab.example.",
        "mac:aa:bb:cc",
        "192.0.2.7/32",
    )
    assert done.status == 0
    (group,) = run("groups", "list", "--json").json
    assert group["members"] == ["192.0.2.7", "id:LAPTOP-7", "mac:aa:bb:cc", f"mac:{MAC}", "name:*.lab.example"]
    assert run("groups", "remove", "lab", MAC.upper()).status == 0
    assert 'members = ["192.0.2.7", "id:LAPTOP-7", "mac:aa:bb:cc", "name:*.lab.example"]' in run("policy", "export").out


def test_members_come_back_from_a_policy_file(run, tmp_path):
    file = tmp_path / "policy.toml"
    run("groups", "add", "lab", "id:LAPTOP-7", MAC, "name:*.lab.example", "192.0.2.0/24")
    file.write_text(run("policy", "export").out)
    assert run("policy", "diff", file).status == 0
    file.write_text(file.read_text().replace(f"mac:{MAC}", "mac:00:11:22"))
    assert run("policy", "apply", file, "--yes").status == 0
    assert "mac:00:11:22" in run("groups", "list").out


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("macc:aa:bb:cc", "there is no kind of member 'macc'; did you mean mac?"),
        ("nmae:x.example", "did you mean name?"),
        ("mac:zz", "wanted a MAC address such as mac:aa:bb:cc:dd:ee:ff, or its first 3 to 5 octets"),
        ("reception", "a name is written name:reception, a client-id id:reception"),
        ("name:a b", "wanted a host name such as name:pc7.lab.example"),
        ("id:\x1b[31m", "wanted a client-id"),
        ("192.0.2.0/33", "is no address and no network"),
    ],
)
def test_wrong_member_gets_one_clear_sentence(run, member, said):
    assert said in run("groups", "add", "lab", member).sentence


def test_tie_is_warned_of_where_it_is_made(run):
    assert "equally specific" not in run("groups", "add", "a", "192.0.2.0/24", MAC).error
    assert f"mac:{MAC} of a and mac:{MAC} of b are equally specific" in run("groups", "add", "b", MAC).error
    assert "equally specific" not in run("groups", "add", "b", "192.0.2.7").error  # known by then, and no tie
    assert "equally specific" not in run("groups", "add", "c", MAC, "--order", "5").error


def test_member_that_nobody_is_recognised_by_is_warned_of(run):
    assert "until clients.leases or clients.forwarders is set" in run("groups", "add", "a", "id:X").error
    assert run("groups", "add", "b", MAC).error == ""


def test_doctor_tells_ties(run):
    run("groups", "add", "a", "192.0.2.0/24")
    assert "no two groups tie" in run("doctor", "--only", "groups").out
    run("groups", "add", "b", "192.0.2.0/24")
    done = run("doctor", "--only", "groups")
    assert "a tie: 192.0.2.0/24 of a and 192.0.2.0/24 of b" in done.out
    assert done.status == 1


def test_list(lab):
    found = {row["client"]: row for row in lab("clients", "list", "--json").json}
    assert found["192.0.2.7"]["groups"] == ["lab", "named", "house"]
    first = found["192.0.2.7"]
    assert (first["mac"], first["names"], first["queries"]) == (
        MAC,
        ["pc7.lab.example"],
        5,
    )
    assert found["198.51.100.1"]["groups"] == []
    assert found[f"mac:{MAC}"]["groups"] == ["lab", "house"]
    assert found["p-0123456789ab"]["groups"] == ["house"]
    table = lab("clients", "list")
    assert table.lines[0].split() == ["client", "mac", "name", "groups", "first", "last", "queries"]
    assert "pc7.lab.example" in table.out


def test_clients_in_no_group_are_listed(lab):
    assert [row["client"] for row in lab("clients", "list", "--without-group", "--json").json] == ["198.51.100.1"]
    lab("groups", "add", "rest", "0.0.0.0/0")
    assert "no client without a group was seen since" in lab("clients", "list", "--without-group").out


def test_list_says_why_it_is_empty(run):
    assert "no client was seen since" in run("clients", "list").out
    run.config.write_text('[record]\nclients = "none"\n')
    assert "see record.clients" in run("clients", "list").out


def test_show(lab):
    done = lab("clients", "show", "192.0.2.7")
    assert done.status == 0
    assert f"mac         {MAC}" in done.out
    assert f"wins        lab by id:laptop-7, mac:{MAC}" in done.out
    assert "a client-id is more specific than a name (name:*.lab.example of named)" in done.out
    assert "group       named by name:*.lab.example" in done.out
    assert "queries: 5" in done.out
    told = lab("clients", "show", "192.0.2.7", "--json").json
    assert [one["group"] for one in told["groups"]] == ["lab", "named", "house"]
    assert told["seen"]["queries"] == 5


def test_show_of_a_client_in_no_group(lab):
    done = lab("clients", "show", "198.51.100.99")
    assert "known       by its address alone" in done.out
    assert "none: the policy for all holds" in done.out
    assert "seen        never" in done.out


def test_show_of_a_client_that_a_forwarder_named(lab):
    done = lab("clients", "show", f"mac:{MAC.upper()}")
    assert f"mac         {MAC}  (named by a forwarder)" in done.out
    assert f"wins        lab by mac:{MAC}" in done.out
    assert lab("clients", "show", "id:LAPTOP-7", "--json").json["groups"][0]["members"] == ["id:laptop-7"]


def test_show_of_a_mac_address_that_is_none(lab):
    assert "is no address such as" in lab("clients", "show", "mac:aa:bb").sentence


def test_show_tells_ties(lab):
    lab("groups", "add", "twin", "192.0.2.0/24")
    done = lab("clients", "show", "192.0.2.9")
    assert "and the same order 100: the stricter action holds" in done.out
    assert "twin by 192.0.2.0/24, a tie with the group before it" in done.out
    lab("groups", "add", "desk", "192.0.2.9", "192.0.2.8/31")
    lab("groups", "add", "first", "192.0.2.9", "--order", "1")
    words = lab("clients", "show", "192.0.2.9").out
    assert "as specific as 192.0.2.9 of desk; order 1 goes before 100" in words
    assert "an address is more specific than a network (192.0.2.0/24 of house)" in words


def test_show_of_what_is_no_address(run):
    assert "is no address such as 192.0.2.7" in run("clients", "show", "nonsense").sentence


def test_overlaps(lab):
    lab("groups", "add", "twin", "192.0.2.0/24", "mac:aa:bb:cc")
    told = lab("groups", "overlaps", "--json").json
    assert [(one["wins"], [m["member"] for m in one["members"]]) for one in told["members"]] == [
        (None, ["192.0.2.0/24", "192.0.2.0/24"]), ("lab", [f"mac:{MAC}", "mac:aa:bb:cc"]),
    ]  # fmt: skip
    met = {(tuple(one["groups"]), one["is_tie"]): one["clients"] for one in told["clients"]}
    assert met[("lab", "named"), False] == ["192.0.2.7"]
    assert met[("twin", "house"), False] == ["192.0.2.7"]
    table = lab("groups", "overlaps")
    assert table.lines[1].split()[:2] == ["tie", "house"]
    assert "192.0.2.7" in table.out


def test_no_overlaps(run):
    run("groups", "add", "a", "192.0.2.0/24")
    assert run("groups", "overlaps").out == "no members of two groups overlap\n"


def test_check_says_which_group_by_which_member(lab):
    done = lab("check", "example.org", "--client", "192.0.2.7")
    assert "client      192.0.2.7 in lab by id:laptop-7, named by name:*.lab.example, house by 192.0.2.0/24" in done.out
    assert lab("check", "example.org", "--client", "192.0.2.7", "--json").json["members"][0] == "lab by id:laptop-7"
    lab("policy", "block", "domain:example.org", "--group", "lab")
    assert lab("check", "example.org", "--client", "192.0.2.7").lines[-1] == "BLOCK"
    assert lab("check", "example.org", "--client", "192.0.2.8").lines[-1] == "NONE"


def test_damaged_table_is_an_error_of_one_sentence(lab):
    (lab.folder / "compiled" / "clients.json").write_text("nonsense")
    for words in (("check", "example.org"), ("clients", "list"), ("groups", "overlaps")):
        assert "clients.json: is damaged" in lab(*words).sentence


def test_report_of_clients(lab):
    first = lab("report", "clients", "--json").json[0]
    assert (first["client"], first["mac"], first["name"], first["groups"]) == (
        "192.0.2.7",
        MAC,
        "pc7.lab.example",
        ["lab"],
    )
    assert "pc7.lab.example" in lab("report", "clients").out
    assert lab("report").status == 0


def test_report_of_bypass(lab):
    told = lab("report", "bypass", "--json").json
    assert [(one["client"], one["score"]) for one in told] == [("192.0.2.7", 9), ("198.51.100.1", 4)]
    assert told[0]["canaries"] == {"points": 5, "days": 1, "each": 5, "most": 20}
    assert told[0]["names"]["asked"] == ["dns.google"]
    assert told[0]["name"] == "pc7.lab.example"
    table = lab("report", "bypass")
    assert "5 (1 d)" in table.out
    assert table.lines[-1].startswith("a score is a reason to look, no proof")
    said = lab("report", "bypass", "--help", place=False).out
    assert "Firefox" in said
    assert "proves nothing" in said


def test_report_of_bypass_where_nothing_is_known(run):
    assert "no client looks so since" in run("report", "bypass").out
    run.config.write_text('[record]\nclients = "none"\n')
    assert "clients are not stored" in run("report", "bypass").out


def test_sudden_silence_in_the_store(lab):
    """From made data through the store: three go on, one falls silent though it is there."""
    store = open_store(lab.folder / "store.db")
    this = NOW // HOUR
    rows = [
        Activity(f"10.0.0.{low}", hour * HOUR, hour * HOUR, 50)
        for low in range(4) for hour in range(this - 12, this) if low or hour < this - 3
    ]  # fmt: skip
    Recorder(store, str).write(HitBatch("other", 1, (), 0, tuple(rows)))
    for hour in range(this - 3, this):
        ClientStore(store, str).note_alive(["10.0.0.0"], hour * HOUR)
    store.close()
    found = {one["client"]: one for one in lab("report", "bypass", "--since", "24h", "--json").json}
    assert len(found["10.0.0.0"]["silence"]["hours"]) == 3
    assert found["10.0.0.0"]["score"] == 30


@pytest.mark.parametrize("option", [("--since", "7d"), ("--json",)])
def test_option_before_a_subcommand_is_refused(run, option):
    done = run("report", *option, "bypass")
    assert done.status == 2
    assert f"write {option[0]} after bypass" in done.error


def test_hits_know_names(lab):
    assert "192.0.2.7 (pc7.lab.example)" in lab("hits", "tail").out
    assert "pc7.lab.example" in lab("hits", "top", "--by", "client").out
    assert lab("hits", "top", "--by", "client", "--json").json[0]["name"] == "pc7.lab.example"
    assert "name" not in lab("hits", "top", "--by", "subject", "--json").json[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('[clients]\nforwarders = ["198.51.100.1/32"]\n', "the forwarder 198.51.100.1/32 is refused"),
        (
            '[clients]\nforwarders = ["10.0.0.1/32", "fd00::1/128"]\n',
            "the forwarder fd00::1/128 is limited as if it were one",
        ),
        ('[clients]\nleases = ["/nowhere/leases"]\n', "lease file /nowhere/leases: cannot be read: No such file"),
        ('[clients]\nneighbours = "never"\n', "members by MAC address match nobody while clients.neighbours is never"),
        ("[clients]\nreverse_names = false\n", "members by name match nobody: clients.reverse_names is off"),
    ],
)
def test_doctor_tells_sources_that_do_not_work(run, settings, said):
    run("groups", "add", "a", MAC, "name:*.example")
    run.config.write_text(settings)
    assert said in run("doctor", "--only", "groups").out


def test_doctor_tells_entries_of_leases_that_cannot_be_read(run, tmp_path):
    (tmp_path / "leases").write_text("nonsense\n")
    run("groups", "add", "a", MAC)
    run.config.write_text(f'[clients]\nneighbours = "always"\nleases = ["{tmp_path / "leases"}"]\n')
    assert "(format dnsmasq): entries that cannot be read: 1" in run("doctor", "--only", "groups").out


def test_doctor_tells_some_ties_and_counts_the_rest(run):
    members = [f"192.0.2.{low}" for low in range(8)]
    run("groups", "add", "a", *members)
    run("groups", "add", "b", *members)
    assert "3 more ties; see: sinkhole groups overlaps" in run("doctor", "--only", "groups").out
