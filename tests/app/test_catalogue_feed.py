"""A signed catalogue as a feed: taken only when it is signed, right and newer; in force only when it is the newest."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sinkhole.app import data_dir
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.state import State, catalogue_of_folder, compile_state, open_state
from sinkhole.app.sync_job import store_result
from sinkhole.catalogue.document import catalogue_to_json
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.config.load import load_settings
from sinkhole.feeds.revise import approve, roll_back
from sinkhole.feeds.sync import SyncResult
from sinkhole.policy.document import load_policy
from sinkhole.policy.feed import Feed, FeedStatus
from sinkhole.policy.vendor import DomainMatch
from sinkhole.policy.verdict import Action
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType
from tests.catalogue.small import NAMES, domain, product, publish, small, vendor
from tests.catalogue.world import shipped

KEY = SigningKey(bytes(range(8)), bytes(range(32)))
OTHER = SigningKey(bytes(8), bytes(32))
NEXT = shipped().version + 1
DAY = shipped().published
FILE = "catalogue.json"


class Installation:
    """A data folder with one feed that brings the catalogue from its list folder."""

    def __init__(self, folder: Path) -> None:
        data_dir.prepare(folder)
        self.settings = load_settings(
            None, {}, {"server.data_dir": folder, "upstream.servers": ["tls://dns.acme-upstream.example"]}
        )
        self.lists = folder / data_dir.LISTS
        self.state: State = open_state(self.settings)
        for feed, _ in self.state.feeds.all():
            self.state.feeds.remove(feed.name)
        self.configure(KEY)

    def configure(self, key: SigningKey | None, **changes: object) -> None:
        feed = Feed("cat", f"file:{FILE}", "catalogue", local=True, key=key.public.to_text() if key else None)
        self.state.feeds.put(replace(feed, **changes))  # type: ignore[arg-type]

    def sync(self) -> SyncResult:
        return asyncio.run(self._sync())

    async def _sync(self) -> SyncResult:
        result = await self.sync_feed("cat")
        store_result(self.state, result)
        return result

    async def sync_feed(self, name: str) -> SyncResult:
        feeds = [feed for feed, _ in self.state.feeds.all()]
        vetoes = self.state.catalogue().catalogue.vetoes
        async with open_syncer(self.settings, self.state, feeds, vetoes) as syncer:
            return await syncer.sync(*self.state.feeds.get(name))

    def publish(self, catalogue=None, key: SigningKey = KEY) -> SyncResult:
        publish(self.lists, catalogue or small(version=NEXT, published=DAY), key, FILE)
        return self.sync()

    def in_force(self) -> tuple[int, str | None]:
        found = self.state.catalogue()
        return found.catalogue.version, found.feed

    def blocks(self, name: str) -> bool:
        compile_state(self.state)
        policy = load_policy(compiled_folder(self.state.folder), verify=True)
        verdict = policy.decide(name_from_text(name), QType.A, policy.scope_of("192.0.2.1"), datetime.now(UTC))
        return verdict.action is Action.BLOCK

    @property
    def body(self) -> Path:
        return self.state.snapshots.path("cat", self.state.feeds.get("cat")[1].version) / "body"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installation]:
    found = Installation(tmp_path / "data")
    yield found
    found.state.close()


def failed(result: SyncResult) -> str:
    assert result.state.status in (FeedStatus.FAILED, FeedStatus.KEPT)
    assert not result.is_changed
    return result.state.message or ""


def test_without_a_sync_that_of_the_installation_is_in_force(world):
    assert world.in_force() == (shipped().version, None)
    assert world.state.catalogue().catalogue == shipped()


def test_newer_catalogue_comes_into_force(world):
    """Its vendors are blocked, those that it no longer has are not, and its feed is no list."""
    assert world.blocks("chatgpt.com")
    result = world.publish()
    assert (result.state.status, result.state.rules, result.state.message) == (FeedStatus.UPDATED, 9, None)
    assert world.in_force() == (NEXT, "cat")
    assert world.blocks("x.acme.example")
    assert not world.blocks("chatgpt.com")
    policy = load_policy(compiled_folder(world.state.folder))
    assert policy.index.feeds == ()
    assert world.sync().state.status is FeedStatus.UNCHANGED


def test_the_whole_document_is_what_is_in_force(world):
    world.publish()
    found = world.state.catalogue().catalogue
    assert replace(found, never_block=(), fingerprint="") == replace(
        small(version=NEXT, published=DAY), never_block=(), fingerprint=""
    )
    assert found.categories == small().categories


@pytest.mark.parametrize("version", [shipped().version, shipped().version - 1])
def test_catalogue_that_is_not_newer_than_the_installed_is_kept_but_not_in_force(world, version):
    result = world.publish(replace(shipped(), version=version))
    assert result.state.status is FeedStatus.UPDATED
    assert world.in_force() == (shipped().version, None)


def test_shipped_catalogue_itself_is_taken_whole(world):
    """No row of it is refused by what vets lists."""
    result = world.publish(replace(shipped(), version=NEXT))
    assert (result.state.status, result.state.rejected, result.state.message) == (FeedStatus.UPDATED, 0, None)
    assert world.in_force() == (NEXT, "cat")
    assert world.state.catalogue().catalogue.vendors == shipped().vendors
    assert world.blocks("chatgpt.com")


# what is refused


def test_bad_signature(world):
    publish(world.lists, small(version=NEXT, published=DAY), KEY, FILE)
    path = world.lists / FILE
    path.write_bytes(path.read_bytes().replace(b"acme.example", b"evil.example"))
    assert failed(world.sync()) == "signature: the file is not the one that was signed"
    assert world.in_force() == (shipped().version, None)


def test_other_key(world):
    said = failed(world.publish(key=OTHER))
    assert said == "signature: was made with key 0, wanted 706050403020100"
    assert failed(world.publish(key=SigningKey(KEY.id, OTHER.seed))).endswith("is not the one that was signed")


def test_no_signature(world):
    publish(world.lists, small(version=NEXT, published=DAY), KEY, FILE)
    (world.lists / f"{FILE}.minisig").unlink()
    assert failed(world.sync()).startswith("the signature: the list file 'catalogue.json.minisig' is not in")
    (world.lists / f"{FILE}.minisig").write_text("<html>")
    assert failed(world.sync()) == "signature: wanted the four lines of a minisign signature"


def test_older_version(world):
    """A publication that was signed once could be replayed for ever."""
    world.publish(small(version=NEXT + 1, published=DAY))
    assert failed(world.publish(small(version=NEXT, published=DAY))) == (
        f"version {NEXT} is older than {NEXT + 1}, which is in force"
    )
    assert world.in_force() == (NEXT + 1, "cat")


def test_other_content_of_the_same_version(world):
    world.publish()
    said = failed(world.publish(small([*NAMES, "more.example"], version=NEXT, published=DAY)))
    assert said == f"version {NEXT} is in force with other content; a new one needs a higher version"
    assert not world.blocks("more.example")


def sign(world: Installation, octets: bytes) -> None:
    path = world.lists / FILE
    path.write_bytes(octets)
    (world.lists / f"{FILE}.minisig").write_bytes(KEY.sign(path, "x").to_octets("x"))


GOOD = catalogue_to_json(small(version=NEXT, published=DAY))


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (GOOD[:-200], "Invalid JSON: EOF"),
        (b"", "Invalid JSON: EOF"),
        (b"[" * 500_000, "Invalid JSON: recursion limit exceeded"),
        (b"acme.example\n", "Invalid JSON"),
        (GOOD.replace(b'"sinkhole": 1', b'"sinkhole": 2'), "sinkhole: Input should be 1"),
        (GOOD.replace(b'"acme-cdn.example"', b'"co.uk"'), "is a public suffix"),
        (GOOD.replace(b'"acme-cdn.example"', b'"protected.example"'), "is on never-block.txt"),
        (GOOD.replace(b'"acme-cdn.example"', b'"*.example"'), "acme.toml: acme/chat: *.example: "),
        (GOOD.replace(b'"chat"\n', b'"nonsense"\n'), "category 'nonsense' is not in categories.toml"),
    ],
)
def test_signed_but_not_right(world, octets, said):
    """A good key can sign a bad file: it is read with the same care, and every mistake is named."""
    world.publish(small(version=NEXT, published=DAY))
    before = world.state.feeds.get("cat")[1].version
    sign(world, octets)
    message = failed(world.sync())
    assert said in message
    assert "\n" not in message
    assert world.in_force() == (NEXT, "cat")
    assert world.state.snapshots.versions("cat") == [before]


def test_huge_document(world):
    world.settings = world.settings.model_copy(
        update={"feeds": world.settings.feeds.model_copy(update={"max_bytes": 100_000})}
    )
    sign(world, b" " * 200_000)
    assert failed(world.sync()) == "the body has more than 100000 octets"


def test_publication_that_is_being_replaced_is_taken_once_it_is_whole(world):
    """Between file and signature there is a moment: what does not fit changes nothing, and the next sync mends it."""
    world.publish()
    old = (world.lists / f"{FILE}.minisig").read_bytes()
    publish(world.lists, small([*NAMES, "more.example"], version=NEXT + 1, published=DAY), KEY, FILE)
    new = (world.lists / f"{FILE}.minisig").read_bytes()
    (world.lists / f"{FILE}.minisig").write_bytes(old)
    assert failed(world.sync()) == "signature: the file is not the one that was signed"
    assert world.in_force() == (NEXT, "cat")
    (world.lists / f"{FILE}.minisig").write_bytes(new)
    assert world.sync().is_changed
    assert world.in_force() == (NEXT + 1, "cat")


# what is held, and gone back from


def test_large_change_waits_for_approval_and_can_be_gone_back_from(world):
    """R-F06: as with lists, by the number of names."""
    world.publish(small([f"n{n}.example" for n in range(20)], version=NEXT, published=DAY))
    result = world.publish(small(version=NEXT + 1, published=DAY))
    assert (result.state.status, result.state.pending_version) == (FeedStatus.QUARANTINED, 2)
    assert "it shrank from 25 to 9 rules" in (result.state.message or "")
    assert world.in_force() == (NEXT, "cat")
    diff = world.state.snapshots.diff("cat", 1, 2)
    assert (diff.added, diff.removed) == (4, 20)
    assert "||acme.example^" in diff.added_rows
    now = datetime.now(UTC)
    snapshots, feeds = world.state.snapshots, world.state.feeds
    feeds.put_state("cat", approve(snapshots, "cat", feeds.get("cat")[1], now))
    assert world.in_force() == (NEXT + 1, "cat")
    feeds.put_state("cat", roll_back(snapshots, "cat", feeds.get("cat")[1], now))
    assert world.in_force() == (NEXT, "cat")
    assert "which was rolled back" in (world.sync().state.message or "")
    assert world.in_force() == (NEXT, "cat")


def test_what_the_gates_count_are_all_names(world):
    """Hosts that count only when asked for, and ways round policy, are vetted and compared as well."""
    catalogue = small(version=NEXT, published=DAY)
    world.publish(catalogue)
    way = replace(catalogue.bypass[0], domains=(domain("proxy.example"), domain("second.example")))
    hidden = vendor("hidden", product("hidden/chat", domain("hidden.example", opt_in=True)))
    world.publish(replace(catalogue, version=NEXT + 1, bypass=(way,), vendors=(*catalogue.vendors, hidden)))
    diff = world.state.snapshots.diff("cat", 1, 2)
    assert diff.added_rows == ("||hidden.example^", "||second.example^")


# what it may not do


def test_what_is_never_blocked_here_stays_so(world):
    """R-F07: a synced catalogue cannot take a name of never-block.txt of this installation, however it lists it."""
    protected = shipped().never_block[0]
    parent = next(name for name in shipped().never_block if name.count(".") > 1)
    evil = replace(
        small(version=NEXT, published=DAY),
        vendors=(
            *small().vendors,
            vendor(
                "evil",
                product("evil/exact", domain(protected, DomainMatch.EXACT), domain("evil.example")),
                product("evil/above", domain(f"x.{parent.partition('.')[2]}")),
            ),
        ),
    )
    result = world.publish(evil)
    assert result.state.status is FeedStatus.UPDATED
    assert "for a protected name" in (result.state.message or "")
    assert world.blocks("evil.example")
    assert not world.blocks(protected)
    assert set(shipped().never_block) < set(world.state.catalogue().catalogue.never_block)
    assert "protected.example" in world.state.catalogue().catalogue.never_block


def test_where_lists_and_answers_come_from_cannot_be_taken(world):
    """R-F07: neither the host of another feed nor that of an upstream, now or when the feed is added later."""
    names = [*NAMES, "acme-upstream.example", "lists.example"]
    assert "1 of them for a protected name" in (
        world.publish(small(names, version=NEXT, published=DAY)).state.message or ""
    )
    assert not world.blocks("dns.acme-upstream.example")
    assert world.blocks("lists.example")
    world.state.feeds.put(Feed("later", "https://lists.example/list"))
    assert not world.blocks("lists.example")
    assert world.blocks("acme.example")


def test_what_it_protects_itself_is_protected_from_lists(world):
    world.publish()
    (world.lists / "list").write_text("protected.example\nlisted.example\n")
    world.state.feeds.put(Feed("list", "file:list", "domains"))
    result = asyncio.run(world.sync_feed("list"))
    assert "1 row rejected, 1 of them for a protected name" in (result.state.message or "")


# when it is gone


def test_broken_one_falls_back_to_that_of_the_installation_loudly(world, caplog):
    """R-F10: and the next sync mends it."""
    world.publish()
    world.body.write_bytes(world.body.read_bytes()[:-10])
    assert world.in_force() == (shipped().version, None)
    assert "catalogue.broken" in caplog.text
    assert set(world.state.catalogue().faults) == {"cat"}
    assert world.blocks("chatgpt.com")
    assert world.sync().state.version == 2
    assert world.in_force() == (NEXT, "cat")


def test_broken_one_falls_back_to_the_one_before(world, caplog):
    world.publish()
    world.publish(small(version=NEXT + 1, published=DAY))
    world.body.unlink()
    assert world.in_force() == (NEXT, "cat")
    assert "feed.snapshot_broken" in caplog.text


def test_one_that_is_whole_but_cannot_be_read_falls_back(world, caplog):
    """Checksums that fit do not make it signed."""
    world.publish()
    meta = world.state.snapshots.meta("cat", 1)
    world.body.write_bytes(b"{}")
    path = world.body.parent / "meta.json"
    path.write_text(path.read_text().replace(meta.checksums["body"], hashlib.sha256(b"{}").hexdigest()))
    assert world.state.snapshots.is_whole("cat", 1)
    assert world.in_force() == (shipped().version, None)
    assert "the file is not the one that was signed" in caplog.text


def test_changed_key_takes_it_out_of_force(world, caplog):
    """A key is changed when the old one is in wrong hands: what that one signed no longer counts."""
    world.publish()
    world.configure(OTHER)
    assert world.in_force() == (shipped().version, None)
    assert "is not signed with its key of now; fetch it anew: sinkhole sync cat" in caplog.text
    assert world.publish(key=OTHER).is_changed
    assert world.in_force() == (NEXT, "cat")


def test_removed_or_disabled_feed_leaves_that_of_the_installation(world):
    world.publish()
    world.configure(KEY, enabled=False)
    assert world.in_force() == (shipped().version, None)
    world.configure(KEY)
    assert world.in_force() == (NEXT, "cat")
    world.state.feeds.remove("cat")
    assert world.in_force() == (shipped().version, None)
    assert world.blocks("chatgpt.com")


def test_feed_that_loses_its_key_is_a_list_only_when_it_was_fetched_as_one(world):
    """What was vetted as a catalogue has names that a list of it would not block."""
    world.publish()
    world.configure(None)
    assert world.in_force() == (shipped().version, None)
    compile_state(world.state)
    assert load_policy(compiled_folder(world.state.folder)).index.feeds == ()
    assert world.sync().state.rules == 7
    compile_state(world.state)
    assert [feed.name for feed in load_policy(compiled_folder(world.state.folder)).index.feeds] == ["cat"]


def test_list_that_gets_a_key_is_no_catalogue_before_it_was_fetched_as_one(world):
    world.configure(None)
    world.publish()
    world.configure(KEY)
    assert world.in_force() == (shipped().version, None)
    assert "fetch it anew" in world.state.catalogue().faults["cat"]
    world.sync()
    assert world.in_force() == (NEXT, "cat")


def test_newest_of_several_feeds_is_in_force(world):
    world.publish(small(version=NEXT + 1, published=DAY))
    (world.lists / "b").mkdir()
    publish(world.lists / "b", small(version=NEXT, published=DAY), OTHER, FILE)
    world.state.feeds.put(Feed("b", f"file:b/{FILE}", "catalogue", local=True, key=OTHER.public.to_text()))
    store_result(world.state, asyncio.run(world.sync_feed("b")))
    assert world.in_force() == (NEXT + 1, "cat")


def test_catalogue_of_a_folder(world, tmp_path):
    """For commands that need no open state: what is in force there, without making a folder that is not."""
    world.publish()
    assert catalogue_of_folder(world.settings).feed == "cat"
    none = load_settings(None, {}, {"server.data_dir": tmp_path / "none"})
    assert catalogue_of_folder(none).catalogue == shipped()
    assert not (tmp_path / "none").exists()
