"""A published catalogue, from `export` over a web server to `check`: as a publisher and a subscriber would run it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinkhole.catalogue.signing_key import SigningKey
from tests.catalogue.minisign import minisign, needs_minisign
from tests.catalogue.small import publish, small
from tests.catalogue.world import shipped
from tests.cli.lists import ListThread

KEY = SigningKey(bytes(range(8)), bytes(range(32)))
NEXT = shipped().version + 1
DAY = shipped().published
HERE = f"version {shipped().version} of {DAY}, that of this installation"


@pytest.fixture
def host() -> Iterator[ListThread]:
    with ListThread() as thread:
        yield thread


def serve(host: ListThread, folder: Path, catalogue, key: SigningKey = KEY) -> None:
    body, signature = publish(folder, catalogue, key)
    host.server.serve(body, "catalogue.json", Content_Type="application/json")
    host.server.serve(signature, "catalogue.json.minisig")


def add(run, host: ListThread, key: SigningKey = KEY):
    words = ("--name", "cat", "--format", "catalogue", "--key", key.public.to_text(), "--allow-private")
    return run.good("feeds", "add", host.url("catalogue.json"), *words)


@pytest.fixture
def synced(run, host, tmp_path) -> ListThread:
    serve(host, tmp_path, small(version=NEXT, published=DAY))
    add(run, host)
    assert run.good("sync", "cat").lines[1].split()[:3] == ["cat", "updated", "9"]
    return host


def table(run, name: str) -> dict[str, str]:
    lines = run.good("feeds", "show", name).lines
    return {line[:14].strip(): line[15:] for line in lines[: lines.index("")]}


def test_added_catalogue_is_no_list(run, host):
    before = run.good("policy", "list").out
    add(run, host)
    assert run.good("policy", "list").out == before
    shown = table(run, "cat")
    assert shown["subject"] == "none; it brings the catalogue"
    assert shown["key"] == KEY.public.to_text()
    assert shown["catalogue"] == f"none yet; in force is {HERE}"
    assert "nothing is called 'cat'" in run("policy", "block", "cat").sentence


def test_synced_catalogue_is_what_all_commands_know(run, synced):
    assert run.good("check", "chat.acme.example").lines[-1] == "BLOCK"
    assert run.good("check", "chatgpt.com").lines[-1] == "NONE"
    assert run.good("catalogue", "list").lines[-1] == "3 of 3 vendors"
    assert run.good("catalogue", "show", "acme").lines[0].startswith("Acme & Söhne  (acme; ")
    assert "there is no vendor 'openai'" in run("catalogue", "show", "openai").sentence
    assert run.good("catalogue", "search", "acme").lines[1].split()[0] == "acme"
    assert "nothing is called 'openai'" in run("policy", "block", "openai").sentence
    run.good("policy", "block", "vendor:acme")
    run.good("report")
    run.good("hits", "top", "--by", "jurisdiction")


def test_show_tells_version_and_key(run, synced):
    assert table(run, "cat")["catalogue"] == f"in force: version {NEXT} of {DAY}, that of feed cat"
    shown = run.good("feeds", "show", "cat", "--json").json
    assert (shown["key"], shown["publication"], shown["is_catalogue"]) == (KEY.public.to_text(), NEXT, True)


def test_doctor_tells_its_age(run, synced):
    (finding,) = run("doctor", "--only", "catalogue", "--json").json
    assert finding["grade"] == "good"
    assert f"; version {NEXT}, published " in finding["text"]
    assert "synced by feed cat; " in finding["text"]


def test_broken_catalogue_is_told_and_replaced_by_that_of_the_installation(run, synced):
    (run.folder / "feeds" / "cat" / "1" / "signature").write_bytes(b"")
    done = run.good("catalogue", "list")
    assert "catalogue.broken" in done.error
    assert done.lines[-1] == f"{len(shipped().vendors)} of {len(shipped().vendors)} vendors"
    told = run("doctor", "--only", "catalogue", "--json")
    assert told.status == 1
    findings = told.json
    assert findings[1]["text"].startswith("that of feed cat cannot be used: ")
    assert run.good("check", "chatgpt.com").lines[-1] == "BLOCK"


@pytest.mark.parametrize("verb", ["disable", "remove"])
def test_without_the_feed_that_of_the_installation_is_in_force_and_told(run, synced, verb):
    done = run.good("feeds", verb, "cat")
    assert done.lines[-1] == f"the catalogue in force is {HERE}"
    assert run.good("check", "chatgpt.com").lines[-1] == "BLOCK"


def test_held_approved_and_gone_back_from(run, synced, tmp_path):
    serve(synced, tmp_path, small([f"n{n}.example" for n in range(200)], version=NEXT + 1, published=DAY))
    held = run("sync", "cat")
    assert held.status == 1
    assert "grew from 9 to 205" in held.out
    assert run.good("feeds", "diff", "cat").lines[0] == "feed cat, version 1 to 2: 200 added, 4 removed"
    done = run.good("feeds", "approve", "cat")
    assert done.lines[-1] == f"the catalogue in force is version {NEXT + 1} of {DAY}, that of feed cat"
    assert run.good("check", "n7.example").lines[-1] == "BLOCK"
    run.good("feeds", "rollback", "cat")
    assert run.good("check", "n7.example").lines[-1] == "NONE"
    assert run.good("check", "acme.example").lines[-1] == "BLOCK"


def test_forged_catalogue_changes_nothing(run, synced, tmp_path):
    serve(synced, tmp_path, small(["forged.example"], version=NEXT + 1, published=DAY), SigningKey.new())
    done = run("sync", "cat")
    assert done.status == 1
    assert "kept" in done.lines[1]
    assert "wanted 706050403020100" in done.lines[1]
    assert run.good("check", "forged.example").lines[-1] == "NONE"


def test_page_instead_of_a_signature(run, host, tmp_path):
    serve(host, tmp_path, small(version=NEXT, published=DAY))
    host.server.serve("<html>", "catalogue.json.minisig", Content_Type="text/html")
    add(run, host)
    done = run("sync", "cat")
    assert done.status == 2
    assert "the signature: 127.0.0.1 sent text/html" in done.lines[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--key is for catalogues"),
        (("--format", "domains"), "--key is for catalogues"),
        (("--format", "catalogue", "--ai"), "--match and --ai are for lists"),
        (("--format", "catalogue", "--match", "exact"), "--match and --ai are for lists"),
        (("--format", "catalogue", "--key", "x"), "public key: is not base64"),
    ],
)
def test_wrong_words_about_a_key(run, words, said):
    add = ("feeds", "add", "https://example.org/catalogue.json", "--key", KEY.public.to_text())
    assert said in run(*add, *words).sentence


def test_catalogue_without_a_key_is_a_list_as_before(run, host, tmp_path):
    """Its names are blocked as those of any list; nothing of it is believed about vendors."""
    serve(host, tmp_path, small(version=NEXT, published=DAY))
    run.good("feeds", "add", host.url("catalogue.json"), "--name", "cat", "--format", "catalogue", "--allow-private")
    assert run.good("sync", "cat").lines[1].split()[:3] == ["cat", "updated", "7"]
    assert run.good("catalogue", "list").lines[-1].endswith(f"of {len(shipped().vendors)} vendors")
    assert "feed        cat" in run.good("check", "acme.example").out


@needs_minisign
def test_export_signed_by_the_tool_is_synced_from_the_lists_folder(run, tmp_path):
    """The whole way: a key of the tool, an export, its signature, `file:`."""
    assert minisign("-G", "-W", "-s", tmp_path / "k", "-p", tmp_path / "k.pub").returncode == 0
    public = (tmp_path / "k.pub").read_text().splitlines()[1]
    run.good("catalogue", "export", tmp_path / "out", "--vendor", "openai")
    assert minisign("-S", "-s", tmp_path / "k", "-m", tmp_path / "out" / "catalogue.json").returncode == 0
    run.good("feeds", "list")  # makes the folder
    for name in ("catalogue.json", "catalogue.json.minisig"):
        (run.folder / "lists" / name).write_bytes((tmp_path / "out" / name).read_bytes())
    run.good("feeds", "add", "file:catalogue.json", "--format", "catalogue", "--key", public)
    assert run.good("sync", "catalogue").lines[1].split()[1] == "updated"
    # It is the very one that came with Sinkhole, so that one stays in force.
    assert table(run, "catalogue")["catalogue"] == f"version {shipped().version} is not above it; in force is {HERE}"
