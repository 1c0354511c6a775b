import os
import socket

import pytest

from sinkhole.transport.holder import find_holder


def listening(host: str, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    sock.bind((host, 0))
    if kind is socket.SOCK_STREAM:
        sock.listen()
    return sock


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("held", "wanted"),
    [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.9"), ("::1", "::1"), ("::", "::1")],
)
def test_own_socket_is_found_where_addresses_overlap(transport, held, wanted):
    """R-O04: who holds the port."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with listening(held, kind) as sock:
        holder = find_holder(wanted, sock.getsockname()[1], transport)
        assert holder is not None
        assert holder.pid == os.getpid()
        assert str(holder.pid) in str(holder)


def test_other_address_other_port_and_connected_socket_hold_nothing():
    with listening("127.0.0.1", socket.SOCK_STREAM) as sock, socket.create_connection(sock.getsockname()) as client:
        port = sock.getsockname()[1]
        assert find_holder("127.0.0.2", port, "tcp") is None
        assert find_holder("127.0.0.1", port, "udp") is None
        assert find_holder("127.0.0.1", client.getsockname()[1], "tcp") is None


def test_process_of_another_user_is_passed_over(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        "header\n   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1 0 0\n"
    )
    (tmp_path / "1").mkdir()  # without a readable fd folder

    assert find_holder("127.0.0.1", 53, "tcp", tmp_path) is None


def test_name_of_a_process_cannot_control_a_terminal(tmp_path):
    """R-P07: a process may name itself as it likes."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "udp").write_text(
        "header\n   0: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 77 1 0 0\n"
    )
    (tmp_path / "9" / "fd").mkdir(parents=True)
    (tmp_path / "9" / "comm").write_text("a\x1b[2Jb\n")
    (tmp_path / "9" / "fd" / "0").symlink_to("socket:[77]")

    holder = find_holder("127.0.0.1", 53, "udp", tmp_path)

    assert str(holder) == "a?[2Jb (pid 9)"
