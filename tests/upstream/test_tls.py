import asyncio
import ssl
from pathlib import Path

import pytest

from sinkhole.errors import UpstreamError
from sinkhole.upstream import UpstreamFailure
from tests.fakes import FakeUpstream, read_frame, silent
from tests.upstream.asking import ADDRESS, MakeForwarder, addresses, frame, good, resolve, says
from tests.upstream.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other-ca"))


async def test_queries_share_a_verified_connection_and_are_padded(forward: MakeForwarder, authority: Authority) -> None:
    """R-C24: 30 queries, one connection (RFC 7858, section 3.4), padded to 128 octets (RFC 8467)."""
    tls = authority.server("dns.example.org", alpn=("dot",))
    async with FakeUpstream(says(), tls=tls) as up:
        forwarder = forward(f"tls://127.0.0.1:{up.port}#dns.example.org", ca_file=authority.ca_file)
        for _ in range(30):
            assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert up.connections == 1
    assert {seen.transport for seen in up.seen} == {"tls"}
    assert all(len(query) % 128 == 0 for query in up.queries)
    assert len({query[:2] for query in up.queries}) > 25


async def test_address_in_the_certificate_suffices(forward: MakeForwarder, authority: Authority) -> None:
    async with FakeUpstream(says(), tls=authority.server("127.0.0.1")) as up:
        forwarder = forward(f"tls://127.0.0.1:{up.port}", ca_file=authority.ca_file)
        assert addresses(await resolve(forwarder)) == [ADDRESS]


@pytest.mark.parametrize("wrong", ["name", "dates", "authority"])
async def test_wrong_certificate_gets_no_query_and_no_clear_text(
    forward: MakeForwarder, authority: Authority, stranger: Authority, wrong: str
) -> None:
    """R-C23: strict profile (RFC 8310, section 5)."""
    signer = stranger if wrong == "authority" else authority
    name = "other.example.org" if wrong == "name" else "dns.example.org"
    tls = signer.server(name, days=-1 if wrong == "dates" else 5)
    async with FakeUpstream(says(), tls=tls) as up:
        forwarder = forward(f"tls://127.0.0.1:{up.port}#dns.example.org", ca_file=authority.ca_file)
        with pytest.raises(UpstreamFailure, match="certificate"):
            await resolve(forwarder)
    assert up.seen == []


async def test_server_without_tls_gets_no_query(forward: MakeForwarder, authority: Authority) -> None:
    """R-C23: no fall-back to clear text."""
    async with FakeUpstream(says()) as up:
        forwarder = forward(f"tls://127.0.0.1:{up.port}#dns.example.org", ca_file=authority.ca_file, timeout=0.3)
        with pytest.raises(UpstreamError):
            await resolve(forwarder)
        assert up.connections == 3, "each try connects anew, so a server that recovers is found"
    assert all(b"\3www\7example" not in query.lower() for query in up.queries)


async def test_old_tls_is_refused(forward: MakeForwarder, authority: Authority) -> None:
    """R-C23: TLS 1.2 at least (RFC 8310, section 9, and RFC 8996)."""
    tls = authority.server("127.0.0.1")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with FakeUpstream(says(), tls=tls) as up:
        with pytest.raises(UpstreamFailure):
            await resolve(forward(f"tls://127.0.0.1:{up.port}", ca_file=authority.ca_file))
    assert up.seen == []


async def test_system_authorities_are_the_default(forward: MakeForwarder, authority: Authority) -> None:
    async with FakeUpstream(says(), tls=authority.server("127.0.0.1")) as up:
        with pytest.raises(UpstreamFailure, match="certificate"):
            await resolve(forward(f"tls://127.0.0.1:{up.port}"))


async def test_connection_closed_after_each_answer_is_opened_again(
    forward: MakeForwarder, authority: Authority, tmp_path: Path
) -> None:
    """R-C24: reconnect after close."""

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(good(await read_frame(reader))))
        await writer.drain()

    async with FakeUpstream(silent, on_connection=answer_one, tls=authority.server("127.0.0.1")) as up:
        forwarder = forward(f"tls://127.0.0.1:{up.port}", ca_file=authority.ca_file)
        for _ in range(5):
            assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_encrypted_upstreams_share_what_is_trusted(forward: MakeForwarder, authority: Authority) -> None:
    tls = authority.server("127.0.0.1")
    async with FakeUpstream(silent, tls=tls) as first, FakeUpstream(says(), tls=tls) as second:
        urls = [f"tls://127.0.0.1:{up.port}" for up in (first, second)]
        forwarder = forward(*urls, "https://127.0.0.1:1", "https://127.0.0.1:2", ca_file=authority.ca_file, timeout=0.3)
        assert addresses(await resolve(forwarder)) == [ADDRESS]
