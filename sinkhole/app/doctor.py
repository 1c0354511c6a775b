"""Look for what is wrong with an installation: each check gives one finding, none needs the others."""

import asyncio
import datetime as dt
import socket
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from sinkhole.app.apply import request
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.data_dir import STORE, running_server
from sinkhole.app.group_findings import group_findings
from sinkhole.app.new_defaults import new_defaults
from sinkhole.app.state import catalogue_of_folder, open_state
from sinkhole.catalogue.summary import summarise
from sinkhole.config.schema import Settings
from sinkhole.errors import ListenError, SinkholeError
from sinkhole.policy.document import DOCUMENT_NAME, load_policy
from sinkhole.policy.engine import Policy
from sinkhole.protocol.message import Message, read_message, write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import address_to_text
from sinkhole.protocol.types import EdeCode, OptionCode, QType, Rcode, rcode_to_text
from sinkhole.resolver.hits import CANARY
from sinkhole.transport.addresses import ListenAddress, bind_tcp, bind_udp, parse_listen
from sinkhole.upstream.forwarder import Forwarder

CATALOGUE_OLD_AFTER_DAYS = 180
MOST_STALE = 0.5
"""Share of domains that nobody has looked at for long, beyond which the catalogue is an old one."""
FEED_OLD_AFTER_DAYS = 14
ASK_TIMEOUT = 3.0
_BLOCKED = (EdeCode.BLOCKED, EdeCode.CENSORED, EdeCode.FILTERED)
_LOCAL_NAME = "localhost"
"""Answered by every server without an upstream (RFC 6761, section 6.3)."""


class Grade(IntEnum):
    """How bad a finding is; the worst is the exit status."""

    GOOD = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    grade: Grade
    text: str


Check = Callable[[Settings], Iterator[tuple[Grade, str]]]


def examine(settings: Settings, only: tuple[str, ...] = ()) -> list[Finding]:
    """Run the checks (all of `CHECKS`, or those named) and return what they found."""
    findings = []
    for name, check in CHECKS.items():
        if only and name not in only:
            continue
        try:
            findings += [Finding(name, grade, text) for grade, text in check(settings)]
        except (SinkholeError, OSError) as error:
            findings.append(Finding(name, Grade.FAILURE, str(error)))
    return findings


def _port(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if running_server(settings.server.data_dir):
        yield Grade.GOOD, "a server runs on this data folder"
        return
    for text in settings.server.listen:
        address = parse_listen(text)
        try:
            bind_udp(address, reuseport=False).close()
            bind_tcp(address, reuseport=False).close()
        except ListenError as error:
            yield Grade.FAILURE, str(error)
        else:
            yield Grade.WARNING, f"no server runs on this data folder; {text} is free to listen on"


def _permissions(settings: Settings) -> Iterator[tuple[Grade, str]]:
    folder = settings.server.data_dir
    if not folder.is_dir():
        yield Grade.WARNING, f"{folder} does not exist yet; the first start makes it"
        return
    wide = [path for path in (folder, folder / STORE, folder / "pseudonym.key") if path.exists() and _is_open(path)]
    for path in wide:
        yield Grade.WARNING, f"others may read {path}; run: chmod go= {path}"
    if not wide:
        yield Grade.GOOD, f"{folder} is for its owner alone"


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _store(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.WARNING, "there is no store yet; the first start makes it"
        return
    state = open_state(settings)
    try:
        with state.store.reading() as connection:
            (result,) = connection.exec_driver_sql("PRAGMA quick_check(1)").one()
    finally:
        state.close()
    yield (Grade.GOOD, "the store is sound") if result == "ok" else (Grade.FAILURE, f"the store is damaged: {result}")


def _upstreams(settings: Settings) -> Iterator[tuple[Grade, str]]:
    try:
        rcode, took = asyncio.run(_ask_upstream(settings))
    except SinkholeError as error:
        yield Grade.FAILURE, f"no upstream answers: {error}"
        return
    grade = Grade.GOOD if rcode in (Rcode.NOERROR, Rcode.NXDOMAIN) else Grade.FAILURE
    yield grade, f"they answer {rcode_to_text(rcode)} within {max(1, round(took * 1000))} ms"


async def _ask_upstream(settings: Settings) -> tuple[int, float]:
    forwarder = Forwarder(settings.upstream, listen=settings.server.listen)
    began = time.monotonic()
    try:
        question = Question(name_from_text("."), QType.NS)
        message = await forwarder.resolve(question, do=False, cd=False, client="doctor")
    finally:
        await forwarder.close()
    return message.rcode, time.monotonic() - began


def _catalogue(settings: Settings) -> Iterator[tuple[Grade, str]]:
    found = catalogue_of_folder(settings)
    catalogue = found.catalogue
    newest = max(d.last_confirmed or d.first_seen for v in catalogue.vendors for p in v.products for d in p.domains)
    days = (_today() - dt.date.fromisoformat(newest)).days
    numbers = summarise(catalogue, _today())
    is_old = days > CATALOGUE_OLD_AFTER_DAYS or numbers.stale > numbers.domains * MOST_STALE
    published = _days((_today() - catalogue.published).days)
    source = f"synced by feed {found.feed}" if found.feed else "that of this installation"
    said = f"version {catalogue.version}, published {published} ago, {source}"
    stale = f"{numbers.stale} of {numbers.domains} domains not confirmed for half a year"
    grade = Grade.WARNING if is_old else Grade.GOOD
    yield grade, f"{len(catalogue.vendors)} vendors, last looked at {_days(days)} ago; {said}; {stale}"
    for name, why in found.faults.items():
        yield Grade.WARNING, f"that of feed {name} cannot be used: {why}"


def _feeds(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.WARNING, "there are none yet; the first start puts them in"
        return
    state = open_state(settings)
    try:
        feeds = [(feed, known) for feed, known in state.feeds.all() if feed.enabled]
    finally:
        state.close()
    bad = False
    for feed, known in feeds:
        asked = (dt.datetime.now(dt.UTC) - known.fetched_at).days if known.fetched_at else None
        if known.pending_version:
            waits = f"version {known.pending_version} waits for: sinkhole feeds approve {feed.name}"
            bad, said = True, f"{feed.name}: {waits}"
        elif known.version == 0:
            bad, said = True, f"{feed.name}: has no rules: {known.message or 'not synced yet'}"
        elif asked is None or asked > FEED_OLD_AFTER_DAYS:
            reached = f"was last reached {_days(asked)} ago" if asked is not None else "was never reached"
            bad, said = True, f"{feed.name}: {reached}" + (f": {known.message}" if known.message else "")
        else:
            continue
        yield Grade.WARNING, said
    if not bad:
        yield Grade.GOOD, "1 feed is fresh" if len(feeds) == 1 else f"{len(feeds)} feeds are fresh"


def _policy(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (compiled_folder(settings.server.data_dir) / DOCUMENT_NAME).exists():
        yield Grade.WARNING, "none is compiled yet; the first start does it"
        return
    policy = load_policy(compiled_folder(settings.server.data_dir), verify=True)
    yield Grade.GOOD, f"generation {policy.generation} is sound, {len(policy.index)} names"
    if running_server(settings.server.data_dir):
        workers = request(settings.server.data_dir, {"op": "status"})["workers"]
        late = [worker for worker in workers if worker["generation"] != policy.generation]
        if late or not workers:
            yield Grade.FAILURE, f"{len(late)} of {len(workers)} workers do not answer by it"


def _defaults(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.GOOD, "the first start puts them in"
        return
    state = open_state(settings)
    try:
        new = new_defaults(state)
    finally:
        state.close()
    for statement in new:
        command = f"sinkhole policy {statement.action} {statement.subject}"
        yield Grade.WARNING, f"a fresh installation says more than this one, which is older: {command}"
    if not new:
        yield Grade.GOOD, "nothing that a fresh installation says is new here"


def _groups(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.GOOD, "there are none yet"
        return
    state = open_state(settings)
    try:
        found = list(group_findings(state))
    finally:
        state.close()
    yield from ((Grade.WARNING, text) for text in found)
    if not found:
        yield Grade.GOOD, "no two groups tie, and members can be recognised"


def _query(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Ask the running server a name that it knows itself: nothing is recorded, so it may be asked every minute."""
    for text in _listen(settings):
        if _addresses(_ask(parse_listen(text), _LOCAL_NAME)) == ["127.0.0.1"]:
            yield Grade.GOOD, f"a server answers on {text}"
        else:
            yield Grade.FAILURE, f"{_LOCAL_NAME} was not answered with 127.0.0.1 on {text}"


def _canary(settings: Settings) -> Iterator[tuple[Grade, str]]:
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


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


CHECKS: dict[str, Check] = {
    "port": _port,
    "permissions": _permissions,
    "store": _store,
    "upstreams": _upstreams,
    "catalogue": _catalogue,
    "feeds": _feeds,
    "policy": _policy,
    "defaults": _defaults,
    "groups": _groups,
    "query": _query,
    "canary": _canary,
}
