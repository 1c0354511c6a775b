import asyncio
import contextlib
import gc
import resource
import socket

import pytest

from tests.transport.asking import LONG, framed, named, question, read_end
from tests.transport.serving import Serving, Slow


@pytest.fixture
def few_descriptors():
    """Let the process open few descriptors more than it has."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def limit(more: int) -> None:
        gc.collect()  # what tests before left would give descriptors back in the middle of this one
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        with socket.socket() as lowest_free:
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free.fileno() + more, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_without_descriptors_connections_are_shed_and_udp_goes_on(few_descriptors, caplog):
    """R-O09: sheds TCP first, UDP goes on, recovers."""
    async with Serving(settings={"tcp_connections_per_client": 1000}) as serving:
        with serving.datagram_client() as client:
            few_descriptors(20)
            held = []
            with contextlib.suppress(OSError):
                while len(held) < 40:
                    sock = socket.socket()
                    sock.setblocking(False)
                    held.append(sock)
                    with contextlib.suppress(BlockingIOError):
                        sock.connect(("127.0.0.1", serving.port))
            for _ in range(5):
                query = question()
                assert (await client.exchange(query.to_wire()))[:2] == query.to_wire()[:2]
            for sock in held:
                sock.close()
            assert (await serving.tcp(question())).answer
    assert sum("tcp.shed" in record.message for record in caplog.records) == 1


async def test_without_any_descriptor_and_nothing_to_shed_the_waiting_are_turned_away(few_descriptors):
    """R-O09: a connection that can be neither served nor refused must not keep the server spinning."""
    handler = Slow()
    async with Serving(handler) as serving:
        with serving.datagram_client() as client, socket.socket() as waiting:
            waiting.setblocking(False)
            few_descriptors(0)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", serving.port))
            await client.exchange(question().to_wire())
            loop = asyncio.get_running_loop()
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(loop.sock_recv(waiting, 1), LONG) == b""
            assert (await client.exchange(named(5)))[:2] == b"\x00\x05"


async def test_without_a_spare_descriptor_accepting_rests_and_goes_on(few_descriptors, monkeypatch):
    """R-O09: recovers."""
    monkeypatch.setattr("sinkhole.transport.tcp._REST", 0.05)
    async with Serving() as serving:
        with serving.datagram_client() as client, socket.socket() as waiting:
            serving.tcp_listener._close_spare()
            waiting.setblocking(False)
            few_descriptors(0)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", serving.port))
            await client.exchange(question().to_wire())
            await client.exchange(question().to_wire())
            few_descriptors(50)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(waiting, framed(named(6)))
            assert (await asyncio.wait_for(loop.sock_recv(waiting, 4), LONG))[2:] == b"\x00\x06"


async def test_idle_connections_are_shed_for_a_new_one(few_descriptors):
    """R-O09: the idlest make room."""
    async with Serving() as serving:
        idle = [await serving.stream() for _ in range(12)]
        with socket.socket() as late:
            late.setblocking(False)
            few_descriptors(0)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(late, ("127.0.0.1", serving.port))
            await loop.sock_sendall(late, framed(named(6)))
            assert (await asyncio.wait_for(loop.sock_recv(late, 4), LONG))[2:] == b"\x00\x06"
            assert await read_end(idle[0][0]) == b""
            assert serving.tcp_listener.connections < 12
        for _, writer in idle:
            writer.close()


async def test_listener_that_rests_can_be_stopped(few_descriptors):
    """R-O09."""
    async with Serving() as serving:
        with serving.datagram_client() as client, socket.socket() as waiting:
            serving.tcp_listener._close_spare()
            waiting.setblocking(False)
            few_descriptors(0)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", serving.port))
            await client.exchange(question().to_wire())
            await client.exchange(question().to_wire())
            assert serving.tcp_listener._rest is not None
            serving.tcp_listener.stop()
            assert serving.tcp_listener._rest is None


async def test_broken_listening_socket_is_logged_once(caplog):
    """R-P07."""
    async with Serving() as serving:
        serving._tcp_socket.shutdown(socket.SHUT_RDWR)
        assert (await serving.udp(question())).answer
        assert (await serving.udp(question())).answer
    assert [record.message.split()[0] for record in caplog.records] == ["tcp.accept_failed"]


async def test_half_of_the_descriptors_stay_for_upstreams(few_descriptors):
    """R-O09: whatever the setting says."""
    few_descriptors(30)
    async with Serving(settings={"tcp_connections_per_client": 1000}) as serving:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        assert serving.tcp_listener._connections._max_total == most
