"""The limit of plain Python: a UDP server on loopback that sends each datagram back as a response.

python -m bench.reflector PORT
"""

import socket
import sys


def serve(port: int) -> None:
    """Reflect until killed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind(("127.0.0.1", port))
    buffer = bytearray(2048)
    view = memoryview(buffer)
    while True:
        size, client = sock.recvfrom_into(buffer)
        if size >= 12 and not buffer[2] & 0x80:
            buffer[2] |= 0x80
            sock.sendto(view[:size], client)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
