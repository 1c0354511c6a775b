"""dnstap, read by Google's protobuf library with the schema of dnstap.info, over Frame Streams on real sockets."""

import asyncio
import ipaddress
import json
import struct

import dns.message
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from bench.servers import free_port
from sinkhole.out.dnstap import CONTENT_TYPE, Dnstap
from sinkhole.out.dnstap_message import to_dnstap
from sinkhole.out.sender import WaitError
from sinkhole.out.target import Address
from tests.out.events import HOSTILE, handled, hit
from tests.store.rows import START

FIELD = descriptor_pb2.FieldDescriptorProto
BYTES, STRING, UINT64, UINT32, FIXED32, MESSAGE = (
    FIELD.TYPE_BYTES, FIELD.TYPE_STRING, FIELD.TYPE_UINT64, FIELD.TYPE_UINT32, FIELD.TYPE_FIXED32, FIELD.TYPE_MESSAGE,
)  # fmt: skip
SCHEMA = {
    "Policy": [(1, "type", STRING), (2, "rule", BYTES), (3, "action", UINT32), (4, "match", UINT32)],
    "Message": [
        (1, "type", UINT32), (2, "socket_family", UINT32), (3, "socket_protocol", UINT32), (4, "query_address", BYTES),
        (8, "query_time_sec", UINT64), (9, "query_time_nsec", FIXED32), (10, "query_message", BYTES),
        (15, "policy", "Policy"),
    ],
    "Dnstap": [
        (1, "identity", BYTES), (2, "version", BYTES), (3, "extra", BYTES), (15, "type", UINT32),
        (14, "message", "Message"),
    ],
}  # fmt: skip
"""Numbers and types of dnstap.proto; enums are read as the numbers that they are on the wire."""
READY, ACCEPT, START_FRAME, STOP, FINISH = 4, 1, 2, 3, 5


def reader():
    """Return the class that reads a payload."""
    file = descriptor_pb2.FileDescriptorProto(name="dnstap.proto", package="dnstap", syntax="proto2")
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for number, field, kind in fields:
            is_message = isinstance(kind, str)
            message.field.add(
                name=field, number=number, label=FIELD.LABEL_OPTIONAL, type=MESSAGE if is_message else kind,
                type_name=f".dnstap.{kind}" if is_message else None,
            )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("dnstap.Dnstap"))


READ = reader()


def read(payload):
    found = READ()
    found.ParseFromString(payload)
    assert not found.FindInitializationErrors()
    assert found.SerializeToString(deterministic=True), "it is whole"
    return found


@pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::1"])
def test_a_hit_is_a_query_of_a_client_with_the_policy_that_was_applied(client):
    found = read(to_dnstap(hit(client=client, count=300, group="staff"), b"server"))
    assert (found.identity, found.version, found.type) == (b"server", b"sinkhole 0.1.0", 1)
    message = found.message
    assert message.type == 5, "CLIENT_QUERY"
    address = ipaddress.ip_address(client)
    assert (message.socket_family, message.query_address) == (1 if address.version == 4 else 2, address.packed)
    assert (message.query_time_sec, message.query_time_nsec) == (START, 0)
    (question,) = dns.message.from_wire(message.query_message).question
    assert str(question) == "chat.example.org. IN A"
    policy = message.policy
    assert (policy.type, policy.rule, policy.action, policy.match) == ("sinkhole", b"ai", 6, 1)
    extra = json.loads(found.extra)
    assert (extra["vendor"], extra["count"], extra["group"], extra["uid"]) == ("example", 300, "staff", "hit-1")


def test_what_is_answered_truly_passes_and_who_is_not_told_is_left_out():
    found = read(to_dnstap(hit(action="monitor", client="p-0123456789ab", subject=None), b""))
    assert found.message.policy.action == 3
    assert not found.message.HasField("query_address")
    assert not found.message.HasField("socket_family")
    assert not found.message.policy.HasField("rule")


@pytest.mark.parametrize("name", ["a\\010\\000b.example.org", "*.example.org", ".", "x" * 70 + ".example.org", "a..b"])
def test_names_of_any_octets(name):
    found = read(to_dnstap(hit(name=name, vendor=HOSTILE, subject=HOSTILE), b""))
    if found.message.HasField("query_message"):
        assert dns.message.from_wire(found.message.query_message).question
    assert json.loads(found.extra)["vendor"] == HOSTILE


class Frames:
    """Reads a stream as libfstrm does, answering control frames; `payloads` are the data frames."""

    def __init__(self, answers=((READY, ACCEPT), (STOP, FINISH)), content=CONTENT_TYPE):
        self.answers = dict(answers)
        self.content = content
        self.payloads = []
        self.controls = []
        self.news = asyncio.Event()

    async def serve(self, reader, writer):
        try:
            while True:
                (length,) = struct.unpack("!I", await reader.readexactly(4))
                if length:
                    self.payloads.append(await reader.readexactly(length))
                else:
                    await self._control(reader, writer)
                self.news.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _control(self, reader, writer):
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        body = await reader.readexactly(length)
        (kind,) = struct.unpack("!I", body[:4])
        self.controls.append(kind)
        if kind in (READY, START_FRAME):
            assert body[4:] == struct.pack("!II", 1, 22) + b"protobuf:dnstap.Dnstap"
        if kind in self.answers:
            answer = struct.pack("!I", self.answers[kind])
            if self.answers[kind] == ACCEPT:
                answer += struct.pack("!II", 1, len(self.content)) + self.content
            writer.write(struct.pack("!II", 0, len(answer)) + answer)
            await writer.drain()

    async def until(self, has):
        async with asyncio.timeout(5):
            while not has(self):
                self.news.clear()
                await self.news.wait()


async def test_frames_over_a_unix_socket(tmp_path):
    frames, path = Frames(), tmp_path / "s"
    async with handled(frames.serve, path):
        sender = Dnstap(Address("unix", str(path)))
        await sender.send([hit(1), hit(2)])
        await sender.send([hit(3)])
        await frames.until(lambda frames: len(frames.payloads) == 3)
        assert [json.loads(read(payload).extra)["uid"] for payload in frames.payloads] == ["hit-1", "hit-2", "hit-3"]
        await sender.close()
        await frames.until(lambda frames: STOP in frames.controls)
        assert frames.controls == [READY, START_FRAME, STOP]


async def test_frames_over_tcp_and_a_receiver_that_comes_back():
    frames = Frames()
    async with handled(frames.serve) as port:
        sender = Dnstap(Address("tcp", "127.0.0.1", port))
        await sender.send([hit(1)])
        await frames.until(lambda frames: frames.payloads)
        sender._stream[1].transport.abort()
        await asyncio.sleep(0)
        await sender.send([hit(2)])
        await frames.until(lambda frames: len(frames.payloads) == 2)
        assert frames.controls == [READY, START_FRAME] * 2
        await sender.close()
    lost = Dnstap(Address("tcp", "127.0.0.1", free_port()))
    with pytest.raises(WaitError, match="Connection refused"):
        await lost.send([hit()])


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (Frames(answers=((READY, FINISH),)), "wanted the frame ACCEPT; found 5"),
        (Frames(content=b"protobuf:other"), "does not take dnstap"),
    ],
)
async def test_receivers_of_something_else(frames, said):
    async with handled(frames.serve) as port:
        sender = Dnstap(Address("tcp", "127.0.0.1", port))
        with pytest.raises(WaitError, match=said):
            await sender.send([hit()])
        await sender.close()


@pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 Bad", b"\0\0\0\0\xff\xff\xff\xff", b""])
async def test_receivers_that_speak_something_else(nonsense):
    async def talk(_reader, writer):
        writer.write(nonsense)
        writer.close()

    async with handled(talk) as port:
        sender = Dnstap(Address("tcp", "127.0.0.1", port))
        with pytest.raises(WaitError, match=r"does not speak Frame Streams|closed the connection|reset"):
            await sender.send([hit()])
