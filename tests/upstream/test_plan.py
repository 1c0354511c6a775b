from pathlib import Path

import pytest

from sinkhole.config.schema import UpstreamSettings, ZoneUpstream
from sinkhole.errors import ConfigError
from sinkhole.upstream import Forwarder
from sinkhole.upstream.plan import read_plan

NOWHERE = Path("/nonexistent/resolv.conf")


def test_zones_and_servers_are_read() -> None:
    settings = UpstreamSettings(
        servers=("192.0.2.1", "192.0.2.1"),
        bootstrap=("192.0.2.9",),
        zones=(ZoneUpstream(zone="Corp.Example.org.", servers=("tls://dns.example.org",)),),
    )
    plan = read_plan(settings, (), NOWHERE)
    assert [str(server) for server in plan.servers] == ["udp://192.0.2.1:53"]
    assert [(zone, str(servers[0])) for zone, servers in plan.zones] == [
        (b"\4corp\7example\3org\0", "tls://dns.example.org:853")
    ]
    assert [server.host for server in plan.bootstrap] == ["192.0.2.9"]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\n")
    settings = UpstreamSettings(
        servers=("gopher://x", "127.0.0.1:53", "tls://dns.example.org"),
        zones=(
            ZoneUpstream(zone="a..b", servers=("192.0.2.1",)),
            ZoneUpstream(zone="example.org", servers=("192.0.2.1",)),
            ZoneUpstream(zone="EXAMPLE.org", servers=("192.0.2.1:x",)),
        ),
    )
    with pytest.raises(ConfigError) as caught:
        Forwarder(settings, listen=["0.0.0.0:53"], resolv_conf=path)
    starts = [mistake.split(":")[0] for mistake in caught.value.mistakes]
    assert starts == [
        "upstream.servers[0]",
        "upstream.servers[1]",
        "upstream.zones[0].zone",
        "upstream.zones[2].zone",
        "upstream.zones[2].servers[0]",
        "upstream.bootstrap",
    ]
    assert "queries would go in circles" in caught.value.mistakes[1]


def test_system_that_names_only_ourselves_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\n")
    with pytest.raises(ConfigError, match=r"upstream\.servers: wanted an upstream, found none but this server"):
        read_plan(UpstreamSettings(), ["127.0.0.1:53"], path)


def test_system_without_resolvers_yet_is_no_mistake() -> None:
    assert read_plan(UpstreamSettings(), ["127.0.0.1:53"], NOWHERE).servers == ()


def test_unreadable_authorities_are_told() -> None:
    settings = UpstreamSettings(servers=("tls://192.0.2.1",), ca_file=Path("/nonexistent/ca.pem"))
    with pytest.raises(ConfigError, match=r"upstream\.ca_file: wanted a PEM file"):
        Forwarder(settings)
