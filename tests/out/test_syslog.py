"""Syslog over real sockets: datagrams, frames that count octets, TLS; receivers that go away."""

import asyncio
import re
import socket

import pytest

from bench.servers import free_port
from sinkhole.errors import OutError
from sinkhole.out.sender import WaitError, tls_context
from sinkhole.out.syslog import LONGEST_DATAGRAM, SyslogDatagrams, SyslogStream
from sinkhole.out.syslog_message import to_syslog
from sinkhole.out.target import Address
from tests.out.events import HOSTILE_EVENTS, alert, hit, listening
from tests.upstream.certificates import Authority


def message(event):
    return to_syslog(event, "text", "host")


def frames(data):
    """Read frames as RFC 6587, section 3.4.1, says: MSG-LEN SP SYSLOG-MSG."""
    found = []
    while data:
        head = re.match(rb"([1-9][0-9]*) ", data)
        start, length = head.end(), int(head[1])
        if len(data) < start + length:
            return None
        found.append(data[start : start + length])
        data = data[start + length :]
    return found


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


async def test_frames_count_octets_and_the_connection_is_kept():
    events = [hit(1), hit(2, vendor="ü"), *HOSTILE_EVENTS]
    async with listening() as (receiver, port):
        sender = SyslogStream(Address("tcp", "127.0.0.1", port), message, None)
        await sender.send(events)
        await sender.send([alert(9)])
        wanted = [message(event) for event in (*events, alert(9))]
        data = await receiver.until(lambda data: len(frames(data) or ()) == len(wanted))
        assert frames(data) == wanted
        assert receiver.connections == 1
        await sender.close()


async def test_a_new_connection_is_made_when_the_receiver_hung_up():
    async with listening() as (receiver, port):
        sender = SyslogStream(Address("tcp", "127.0.0.1", port), message, None)
        await sender.send([hit(1)])
        await receiver.until(bool)
        await receiver.hang_up()
        await asyncio.sleep(0.01)
        await sender.send([hit(2)])
        await receiver.until(lambda data: len(frames(data) or ()) == 2)
        assert receiver.connections == 2
        await sender.close()


async def test_nobody_there_is_told_and_later_it_works():
    port = free_port()
    sender = SyslogStream(Address("tcp", "127.0.0.1", port), message, None)
    with pytest.raises(WaitError, match=rf"tcp://127\.0\.0\.1:{port}: Connection refused"):
        await sender.send([hit()])
    async with listening(port=port) as (receiver, _):
        await sender.send([hit()])
        await receiver.until(bool)
        await sender.close()


async def test_tls_checks_the_name_of_the_receiver(authority):
    """RFC 5425, section 5.2."""
    right, wrong = authority.server("127.0.0.1"), authority.server("other.example.org")
    async with listening(right) as (receiver, port):
        sender = SyslogStream(Address("tls", "127.0.0.1", port), message, tls_context(authority.ca_file))
        await sender.send([hit()])
        await receiver.until(bool)
        assert frames(receiver.data) == [message(hit())]
        await sender.close()
        stranger = SyslogStream(Address("tls", "127.0.0.1", port), message, tls_context(None))
        with pytest.raises(WaitError, match="its certificate is not valid"):
            await stranger.send([hit()])
    async with listening(wrong) as (_, port):
        sender = SyslogStream(Address("tls", "127.0.0.1", port), message, tls_context(authority.ca_file))
        with pytest.raises(WaitError, match="its certificate is not valid"):
            await sender.send([hit()])


def test_files_for_tls_that_are_no_use(tmp_path):
    file = tmp_path / "x.pem"
    with pytest.raises(OutError, match="No such file"):
        tls_context(file)
    file.write_text("nonsense")
    with pytest.raises(OutError, match="wanted a PEM file of a certificate and its key"):
        tls_context(None, file)


async def test_each_event_is_a_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(2)
        sender = SyslogDatagrams(Address("udp", "127.0.0.1", sock.getsockname()[1]), message)
        await sender.send([hit(1), hit(2)])
        assert [sock.recv(65536), sock.recv(65536)] == [message(hit(1)), message(hit(2))]


async def test_a_message_that_no_datagram_holds_is_cut_at_a_character():
    """RFC 5424, section 6.1: not within a character of UTF-8."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(2)
        sender = SyslogDatagrams(Address("udp", "127.0.0.1", sock.getsockname()[1]), message)
        await sender.send([alert(text="x" + "ü" * 50_000)])
        found = sock.recv(65536)
    assert LONGEST_DATAGRAM - 2 <= len(found) <= LONGEST_DATAGRAM
    assert found.decode().endswith("ü")


async def test_a_datagram_that_nobody_takes_is_told_where_the_system_tells():
    sender = SyslogDatagrams(Address("udp", "127.0.0.1", free_port()), message)

    async def send_until_told():
        while True:
            await sender.send([hit()] * 50)

    with pytest.raises(WaitError, match="Connection refused"):
        await asyncio.wait_for(send_until_told(), 5)


async def test_a_cancelled_send_leaves_no_half_frame_behind():
    async with listening() as (receiver, port):
        sender = SyslogStream(Address("tcp", "127.0.0.1", port), message, None)
        await sender.send([hit()])
        task = asyncio.ensure_future(sender.send([alert(text="x" * 50_000)] * 200))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sender._stream is None
        assert receiver.connections == 1
