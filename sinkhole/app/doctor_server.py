"""Checks of `doctor` that ask the running server over DNS."""

import datetime as dt
import socket
import time
from collections.abc import Iterator, Mapping, Sequence

from sinkhole.app.apply import request
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.data_dir import running_server
from sinkhole.app.finding import Grade
from sinkhole.app.state import catalogue_of_folder
from sinkhole.config.schema import Settings
from sinkhole.errors import ListenError
from sinkhole.policy.document import load_policy
from sinkhole.policy.engine import Policy
from sinkhole.protocol.message import Message, read_message, write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import address_to_text
from sinkhole.protocol.types import EdeCode, OptionCode, QType
from sinkhole.resolver.hits import CANARY
from sinkhole.transport.addresses import ListenAddress, parse_listen
from sinkhole.transport.code import CODE
from sinkhole.transport.datagram import BATCH
from sinkhole.upstream.batch import is_supported

ASK_TIMEOUT = 3.0
_FORMS = {
    "batch": f"up to {BATCH} come and go in one system call (recvmmsg, sendmmsg)",
    "single": "each comes and goes in a system call of its own",
}
_CODES = {
    "compiled": "the query path runs compiled",
    "interpreted": "the query path is interpreted: it does the same, and misses cost twice as much as compiled",
}
_BLOCKED = (EdeCode.BLOCKED, EdeCode.CENSORED, EdeCode.FILTERED)
_LOCAL_NAME = "localhost"
"""Answered by every server without an upstream (RFC 6761, section 6.3)."""


def datagrams(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Tell how datagrams come and go: of the running workers, else as this system can."""
    here = "batch" if is_supported() and settings.transport.datagrams != "single" else "single"
    return _told(settings, "datagrams", here, _FORMS)


def code(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Tell whether the running workers' code is compiled, else whether this command's is."""
    return _told(settings, "code", CODE, _CODES)


def _told(settings: Settings, what: str, here: str, words: Mapping[str, str]) -> Iterator[tuple[Grade, str]]:
    """Tell in words what workers say of themselves; `here` where none runs."""
    said = {here}
    if running_server(settings.server.data_dir):
        workers = request(settings.server.data_dir, {"op": "status"})["workers"]
        said = {str(worker.get(what)) for worker in workers}
    for one in sorted(said):
        yield Grade.GOOD, words.get(one, "a worker of another version does not tell")
    if not said:
        yield Grade.WARNING, "no worker is there to tell"


def query(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Ask the running server a name that it knows itself: nothing is recorded, so it may be asked every minute."""
    for text in _listen(settings):
        if _addresses(_ask(parse_listen(text), _LOCAL_NAME)) == ["127.0.0.1"]:
            yield Grade.GOOD, f"a server answers on {text}"
        else:
            yield Grade.FAILURE, f"{_LOCAL_NAME} was not answered with 127.0.0.1 on {text}"


def canary(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Ask the running server a name that its policy blocks; one that does not exist and is not counted as a try."""
    address = parse_listen(_listen(settings)[0])
    policy = load_policy(compiled_folder(settings.server.data_dir))
    canary = _blocked_name(policy, settings)
    if canary is None:
        yield Grade.GOOD, "policy blocks no vendor for this machine, so none was asked"
        return
    reply = _ask(address, canary)
    is_blocked = not _ede_codes(reply).isdisjoint(_BLOCKED)
    grade = Grade.GOOD if is_blocked else Grade.FAILURE
    said = "is blocked" if is_blocked else "is answered, though policy blocks it"
    yield grade, f"{canary} {said}"


def _listen(settings: Settings) -> Sequence[str]:
    """Return where the running server listens, which flags may have said, else what is configured."""
    if running_server(settings.server.data_dir):
        listen: list[str] = request(settings.server.data_dir, {"op": "status"})["listen"]
        return listen
    return settings.server.listen


def _blocked_name(policy: Policy, settings: Settings) -> str | None:
    now = dt.datetime.now(dt.UTC)
    scope = policy.scope_of("127.0.0.1")
    for vendor in catalogue_of_folder(settings).catalogue.vendors:
        for product in vendor.products:
            for domain in product.domains:
                name = CANARY + domain.name.replace("*", "x")
                if policy.decide(name_from_text(name), QType.A, scope, now).is_blocked:
                    return name
    return None


def _ask(address: ListenAddress, name: str) -> Message:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104 - comparing, not binding
    number = time.monotonic_ns() & 0xFFFF
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ASK_TIMEOUT)
        sock.connect((host, address.port))
        try:
            sock.send(write_query(Question(name_from_text(name), QType.A), id=number))
            return read_message(sock.recv(4096))
        except OSError as error:
            why = "no reply" if isinstance(error, TimeoutError) else error.strerror
            raise ListenError(f"no server answers on {host} port {address.port}: {why}") from error


def _ede_codes(reply: Message) -> set[int]:
    options = reply.edns.options if reply.edns else ()
    return {int.from_bytes(data[:2], "big") for code, data in options if code == OptionCode.EDE}


def _addresses(reply: Message) -> list[str]:
    return [address_to_text(record.rdata) for record in reply.answer if record.rtype == QType.A]
