"""Messages on a stream: two octets of length, then the message (RFC 1035, section 4.2.2); no I/O."""

from typing import Final

from sinkhole.errors import FormError

MAX_MESSAGE: Final = 65535


class FrameReader:
    """Cuts a stream into messages, however it was segmented (RFC 7766, section 8)."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def has_partial(self) -> bool:
        """Tell whether a message has begun but not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has arrived and return the messages it completes.

        Raises:
            FormError: a length of zero comes next; messages before it have been returned by an earlier call.
        """
        buffer = self._buffer
        buffer += data
        messages: list[bytes] = []
        at, total = 0, len(buffer)
        while total - at >= 2:
            length = buffer[at] << 8 | buffer[at + 1]
            if length == 0:
                if messages:
                    break
                raise FormError("frame: a length of zero")
            end = at + 2 + length
            if end > total:
                break
            messages.append(bytes(buffer[at + 2 : end]))
            at = end
        if at:
            del buffer[:at]
        return messages


def frame(message: bytes) -> bytes:
    """Put the length before a message.

    Raises:
        FormError: it is empty or longer than 65535 octets.
    """
    if not 0 < len(message) <= MAX_MESSAGE:
        raise FormError(f"frame: 1 to {MAX_MESSAGE} octets are wanted; found {len(message)}")
    return len(message).to_bytes(2, "big") + message
