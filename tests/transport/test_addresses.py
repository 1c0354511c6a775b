import errno
import os
import socket
from pathlib import Path

import pytest

from sinkhole.errors import ListenError
from sinkhole.transport.addresses import ListenAddress, bind_tcp, bind_udp, explain_failure, parse_listen
from tests.transport.serving import bind_pair

LOOPBACK = ListenAddress("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:5300", "127.0.0.1", 5300),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:53", "::1", 53),
        ("[2001:DB8:0::1]:65535", "2001:db8::1", 65535),
        ("[fe80::1%eth0]:53", "fe80::1%eth0", 53),
    ],
)
def test_address_and_port_are_read_and_written(text, host, port):
    address = parse_listen(text)

    assert address == ListenAddress(host, port)
    assert parse_listen(str(address)) == address


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("::1:53", "in brackets"),
        ("localhost:53", "wanted ADDRESS:PORT"),
        ("127.0.0.1", "wanted ADDRESS:PORT"),
        ("", "wanted ADDRESS:PORT"),
        ("127.0.0.1:", "wanted a port"),
        ("127.0.0.1:65536", "wanted a port"),
        ("127.0.0.1:-1", "wanted a port"),
        ("127.0.0.1:٥٣", "wanted a port"),
    ],
)
def test_what_is_no_address_is_refused_in_one_sentence(text, wanted):
    with pytest.raises(ListenError, match=wanted) as caught:
        parse_listen(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_udp_and_tcp_share_an_address_and_both_families_a_port(host):
    """R-T01: both transports on each address, IPv4 and IPv6."""
    udp, tcp = bind_pair(host)
    with udp, tcp:
        port = udp.getsockname()[1]
        assert tcp.getsockname()[:2] == (host, port)
        assert not tcp.getblocking()
        assert not udp.getblocking()
        with bind_udp(ListenAddress("0.0.0.0" if ":" in host else "::", port), reuseport=False) as other:
            assert other.getsockname()[1] == port


def test_workers_share_a_port():
    with bind_tcp(LOOPBACK) as tcp, bind_udp(LOOPBACK) as udp:
        for bind, sock in ((bind_tcp, tcp), (bind_udp, udp)):
            with bind(ListenAddress("127.0.0.1", sock.getsockname()[1])) as second:
                assert second.getsockname() == sock.getsockname()


@pytest.mark.parametrize("bind", [bind_udp, bind_tcp])
def test_second_instance_is_told_who_holds_the_port(bind):
    """R-O04: a clear message, and no damage to the first."""
    with bind(LOOPBACK, reuseport=True) as first:
        address = ListenAddress("127.0.0.1", first.getsockname()[1])
        with pytest.raises(ListenError, match=rf"cannot listen on {address} .*\(pid {os.getpid()}\) holds the port"):
            bind(address, reuseport=False)
        assert first.getsockname()[1] == address.port


def fake_proc(folder: Path, name: str, port: int) -> Path:
    """Make a proc file system in which one process holds 127.0.0.53 on a port."""
    (folder / "net").mkdir()
    (folder / "net" / "udp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        f"   0: 3500007F:{port:04X} 00000000:0000 07 00000000:00000000 00:00000000 00000000 101 0 4242 2 0 0\n"
    )
    (folder / "311" / "fd").mkdir(parents=True)
    (folder / "311" / "comm").write_text(name + "\n")
    (folder / "311" / "fd" / "12").symlink_to("socket:[4242]")
    return folder


def test_systemd_resolved_is_named_with_what_to_do(tmp_path):
    """R-O04: who holds port 53, and what to do about it."""
    with bind_udp(LOOPBACK) as held:
        port = held.getsockname()[1]
        proc = fake_proc(tmp_path, "systemd-resolve", port)
        with pytest.raises(ListenError, match=r"systemd-resolve \(pid 311\).*DNSStubListener=no"):
            bind_udp(ListenAddress("0.0.0.0", port), reuseport=False, proc=proc)


def test_holder_that_cannot_be_seen_is_still_an_error(tmp_path):
    with bind_udp(LOOPBACK) as held:
        address = ListenAddress("127.0.0.1", held.getsockname()[1])
        with pytest.raises(ListenError, match="not ours to see"):
            bind_udp(address, reuseport=False, proc=tmp_path)


def test_address_of_no_interface_is_refused():
    with pytest.raises(ListenError, match="no interface of this machine has that address"):
        bind_udp(ListenAddress("192.0.2.1", 0))


@pytest.mark.parametrize(
    ("number", "help_text"),
    [
        (errno.EACCES, "CAP_NET_BIND_SERVICE"),
        (errno.EAFNOSUPPORT, "no IPv6"),
        (errno.ENOBUFS, "No buffer space"),
    ],
)
def test_each_failure_says_what_helps(number, help_text):
    error = OSError(number, os.strerror(number))

    sentence = explain_failure(ListenAddress("::1", 53), socket.SOCK_STREAM, error)

    assert sentence.startswith("cannot listen on [::1]:53 (TCP): ")
    assert help_text in sentence


def test_unknown_failure_is_told_as_it_is():
    assert explain_failure(LOOPBACK, socket.SOCK_DGRAM, OSError("odd")).endswith(": odd")
