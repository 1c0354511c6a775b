from pathlib import Path

import pytest

from sinkhole.upstream.address import parse_upstream
from sinkhole.upstream.system import LOOK_AGAIN, SystemWatch, is_only_own, search_domains, system_upstreams

EXAMPLE = """# made by a test
search example.org
nameserver 192.0.2.53
nameserver 127.0.0.1   # ourselves
nameserver not..an-address
nameserver
nameserver 2001:db8::53
nameserver 192.0.2.53
options edns0
"""


def test_nameservers_are_read_without_ourselves(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(EXAMPLE)
    found = system_upstreams(["127.0.0.1:53"], path)
    assert [server.host for server in found] == ["192.0.2.53", "2001:db8::53"]
    assert "127.0.0.1" in [server.host for server in system_upstreams(["127.0.0.1:5300"], path)]


def test_missing_file_means_no_upstreams(tmp_path: Path) -> None:
    assert system_upstreams((), tmp_path / "none") == ()
    assert not is_only_own(["127.0.0.1:53"], tmp_path / "none")


def test_system_that_only_knows_ourselves_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\n")
    assert is_only_own(["0.0.0.0:53"], path)
    assert not is_only_own(["0.0.0.0:5300"], path)


def test_change_of_the_file_is_followed_and_an_empty_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    now = 0.0
    watch = SystemWatch((), path, lambda: now)
    assert watch.changed() == ()
    path.write_text("nameserver 192.0.2.1\n")
    assert watch.changed() is None
    now += LOOK_AGAIN
    assert watch.changed() == (parse_upstream("192.0.2.1"),)
    now += LOOK_AGAIN
    assert watch.changed() is None
    path.write_text("")
    now += LOOK_AGAIN
    assert watch.changed() is None
    path.write_text("nameserver 192.0.2.2\n")
    now += LOOK_AGAIN
    assert watch.changed() == (parse_upstream("192.0.2.2"),)


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        (EXAMPLE, ("example.org",)),
        ("domain corp.example\n", ("corp.example",)),
        ("search a.example b.example.\ndomain c.example\n", ("c.example",)),
        ("domain c.example\nsearch a.example\tb.example.\n", ("a.example", "b.example.")),
        ("search\nnameserver 192.0.2.1\n# search x.example\n", ()),
        ("", ()),
    ],
)
def test_last_search_list_counts(tmp_path: Path, text: str, domains: tuple[str, ...]) -> None:
    """resolv.conf(5)."""
    path = tmp_path / "resolv.conf"
    path.write_text(text)
    assert search_domains(path) == domains


def test_missing_file_means_no_search_domains(tmp_path: Path) -> None:
    assert search_domains(tmp_path / "none") == ()
