"""Snapshots: whole or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from sinkhole.errors import FeedError
from sinkhole.feeds.diff import Diff
from sinkhole.feeds.reading import Job, read_list
from sinkhole.feeds.snapshot import BusyError, Meta, Snapshots, checksums


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path / "feeds")


def add(snapshots: Snapshots, *names: str, held: tuple[str, ...] = ()) -> int:
    """Keep a version of these names."""
    with snapshots.draft("list") as draft:
        (draft / "body").write_text("".join(f"{name}\n" for name in names) + "not a name\n")
        report = read_list(Job(str(draft), "domains", "format", local=False, max_rows=1000))
        meta = Meta(
            created="2026-11-23T12:00:00+00:00", source="s", checksums=checksums(draft), manner="m",
            format=report.format, size=1, rules=report.rules, rejected=report.rejected, protected=0, held=held,
        )  # fmt: skip
        return snapshots.keep("list", draft, meta)


def names(snapshots: Snapshots, version: int) -> list[str]:
    return [rule.name for rule in snapshots.rules("list", version)]


def test_versions_are_numbered_and_read_back(snapshots: Snapshots) -> None:
    assert snapshots.versions("list") == []
    assert add(snapshots, "a.example.org") == 1
    assert add(snapshots, "a.example.org", "b.example.org") == 2
    assert snapshots.versions("list") == [1, 2]
    assert names(snapshots, 1) == ["a.example.org"]
    assert [rule.line for rule in snapshots.rules("list", 2)] == [1, 2]
    assert snapshots.verify("list", 2).rules == 2
    assert [row.line for row in snapshots.rejections("list", 2)] == [3]


def test_rules_are_read_while_they_are_asked_for(snapshots: Snapshots) -> None:
    """R-L14: bounded memory."""
    rules = snapshots.rules("list", add(snapshots, "a.example.org", "b.example.org"))
    assert next(rules).name == "a.example.org"
    rules.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("file", ["rules", "body", "rejections.json"])
@pytest.mark.parametrize("damage", ["changed", "gone", "cut"])
def test_broken_version_is_never_loaded(snapshots: Snapshots, file: str, damage: str) -> None:
    """R-F10: checksums."""
    version = add(snapshots, "a.example.org", "b.example.org")
    path = snapshots.path("list", version) / file
    if damage == "changed":
        path.write_bytes(path.read_bytes().replace(b"a", b"x") + b" ")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(FeedError, match=f"version 1 is broken: {file} is not what was written"):
        snapshots.rules("list", version)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"held": 1}'])
def test_version_without_its_facts_is_broken(snapshots: Snapshots, text: str) -> None:
    """R-F10."""
    version = add(snapshots, "a.example.org")
    (snapshots.path("list", version) / "meta.json").write_text(text)
    with pytest.raises(FeedError, match=r"its meta\.json cannot be read"):
        snapshots.meta("list", version)


def test_missing_version_is_an_error(snapshots: Snapshots) -> None:
    with pytest.raises(FeedError, match="feed list has no version 3"):
        snapshots.rules("list", 3)


def test_older_whole_version_takes_the_place_of_a_broken_one(snapshots: Snapshots) -> None:
    """R-F10: but none that was held or gone back from."""
    for n in range(1, 6):
        add(snapshots, f"{n}.example.org", held=("it shrank",) if n == 3 else ())
    snapshots.refuse("list", 4)
    (snapshots.path("list", 5) / "rules").write_text("")
    assert not snapshots.is_whole("list", 5)
    assert snapshots.is_whole("list", 4)
    assert snapshots.older("list", 5) == 2
    assert snapshots.older("list", 2) == 1
    (snapshots.path("list", 2) / "rules").write_text("")
    (snapshots.path("list", 1) / "rules").write_text("")
    assert snapshots.older("list", 5) is None


def test_draft_that_is_not_kept_is_gone(snapshots: Snapshots, tmp_path: Path) -> None:
    """R-F02: no half version is left by an error."""

    def fail() -> None:
        with snapshots.draft("list") as draft:
            (draft / "body").write_text("x")
            raise FeedError("cut off")

    with pytest.raises(FeedError, match="cut off"):
        fail()
    assert snapshots.versions("list") == []
    assert [path.name for path in (tmp_path / "feeds" / "list").iterdir()] == ["lock"]


def test_draft_of_a_process_that_was_killed_is_cleared_away(snapshots: Snapshots, tmp_path: Path) -> None:
    """R-F02: nor by a crash."""
    left = tmp_path / "feeds" / "list" / ".draft-left"
    left.mkdir(parents=True)
    (left / "body").write_text("x")
    assert snapshots.versions("list") == []
    add(snapshots, "a.example.org")
    assert not left.exists()


def test_feed_is_synced_one_at_a_time(snapshots: Snapshots) -> None:
    """R-F12."""
    with snapshots.draft("list"):
        with pytest.raises(BusyError, match="another sync of feed list is under way"), snapshots.draft("list"):
            pass
        with snapshots.draft("other"):
            pass
    with snapshots.draft("list"):
        pass


def test_versions_are_compared(snapshots: Snapshots) -> None:
    add(snapshots, "a.example.org", "b.example.org")
    add(snapshots, "b.example.org", "c.example.org", "d.example.org")
    assert snapshots.diff("list", 1, 2) == Diff(2, 1, ("||c.example.org^", "||d.example.org^"), ("||a.example.org^",))
    assert snapshots.diff("list", 2, 1, limit=1) == Diff(1, 2, ("||a.example.org^",), ("||c.example.org^",))
    assert snapshots.diff("list", 1, 1) == Diff(0, 0)


def test_old_versions_are_pruned_but_not_those_needed(snapshots: Snapshots) -> None:
    for n in range(1, 7):
        add(snapshots, f"{n}.example.org")
    snapshots.prune("list", 2, {1, 3})
    assert snapshots.versions("list") == [1, 3, 5, 6]
    assert add(snapshots, "7.example.org") == 7


def test_approval_is_noted(snapshots: Snapshots) -> None:
    version = add(snapshots, "a.example.org", held=("it shrank",))
    snapshots.refuse("list", version)
    assert snapshots.is_refused("list", version)
    released = snapshots.release("list", version)
    assert released.held == ()
    assert snapshots.meta("list", version) == replace(released, held=())
    assert not snapshots.is_refused("list", version)


def test_removed_feed_leaves_nothing(snapshots: Snapshots, tmp_path: Path) -> None:
    add(snapshots, "a.example.org")
    snapshots.remove("list")
    assert snapshots.versions("list") == []
    assert not (tmp_path / "feeds" / "list").exists()


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "/etc", "A", "-a", "a" * 64, "a\n", "a.b"])
def test_name_of_a_feed_cannot_lead_elsewhere(snapshots: Snapshots, name: str) -> None:
    """R-F14."""
    with pytest.raises(FeedError, match="a feed's name has"):
        snapshots.versions(name)
