"""Look for what is wrong with an installation: each check gives one finding, none needs the others."""

import asyncio
import datetime as dt
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from sinkhole.app import doctor_policy, doctor_server
from sinkhole.app.apply import request
from sinkhole.app.data_dir import STORE, running_server
from sinkhole.app.discovery import waiting_in_words
from sinkhole.app.doctor_page import block_page
from sinkhole.app.finding import Check, Finding, Grade
from sinkhole.app.group_findings import group_findings
from sinkhole.app.state import State, catalogue_of_folder, open_state
from sinkhole.catalogue.summary import summarise
from sinkhole.config.schema import Settings
from sinkhole.errors import ListenError, SinkholeError
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import QType, Rcode, rcode_to_text
from sinkhole.store.recorder import dropped
from sinkhole.transport.addresses import bind_tcp, bind_udp, parse_listen
from sinkhole.upstream.forwarder import Forwarder

CATALOGUE_OLD_AFTER_DAYS = 180
MOST_STALE = 0.5
"""Share of domains that nobody has looked at for long, beyond which the catalogue is an old one."""
FEED_OLD_AFTER_DAYS = 14
_FULL, _NEARLY_FULL = 4, 64
"""MiB free on the disk of the data folder, below which it counts as full, or soon will be."""
_KEYS = ("pseudonym.key", "notice.key")


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
    private = (folder, folder / STORE, *(folder / key for key in _KEYS))
    wide = [path for path in private if path.exists() and _is_open(path)]
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


def _disk(settings: Settings) -> Iterator[tuple[Grade, str]]:
    folder = settings.server.data_dir
    if not folder.is_dir():
        yield Grade.WARNING, f"{folder} does not exist yet; the first start makes it"
        return
    free = shutil.disk_usage(folder).free // 2**20
    said = f"{free:,} MiB are free on the disk of {folder}"
    if free < _FULL:
        yield Grade.FAILURE, f"{said}: answers go on, but nothing can be recorded or changed; make room on it"
    else:
        yield (Grade.GOOD if free >= _NEARLY_FULL else Grade.WARNING), said


def _recorder(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.GOOD, "nothing was to be recorded yet"
        return
    if running_server(settings.server.data_dir):
        told = str(request(settings.server.data_dir, {"op": "status"})["store"])
        if told != "open":
            yield Grade.FAILURE, f"what is asked waits to be recorded: {told}"
    state = open_state(settings)
    try:
        with state.store.reading() as connection:
            lost = dropped(connection)
    finally:
        state.close()
    if lost:
        yield Grade.WARNING, f"{lost:,} queries could not be recorded since the store was made"
    else:
        yield Grade.GOOD, "no query was lost that was to be recorded"


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
    for said in (*found.local.faults, *found.local.superseded):
        yield Grade.WARNING, f"local vendor file {said}"


def _discover(settings: Settings) -> Iterator[tuple[Grade, str]]:
    yield Grade.GOOD, waiting_in_words(settings)


def _feeds(settings: Settings) -> Iterator[tuple[Grade, str]]:
    if not (settings.server.data_dir / STORE).exists():
        yield Grade.WARNING, "there are none yet; the first start puts them in"
        return
    state = open_state(settings)
    try:
        yield from feed_findings(state)
    finally:
        state.close()


def feed_findings(state: State) -> Iterator[tuple[Grade, str]]:
    """Tell the lists that wait for somebody, have no rules, or were not reached for long."""
    feeds = [(feed, known) for feed, known in state.feeds.all() if feed.enabled]
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


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


CHECKS: dict[str, Check] = {
    "port": _port,
    "permissions": _permissions,
    "disk": _disk,
    "store": _store,
    "recorder": _recorder,
    "upstreams": _upstreams,
    "catalogue": _catalogue,
    "feeds": _feeds,
    "discover": _discover,
    "policy": doctor_policy.policy,
    "expectations": doctor_policy.expectations,
    "exceptions": doctor_policy.exceptions,
    "defaults": doctor_policy.defaults,
    "groups": _groups,
    "datagrams": doctor_server.datagrams,
    "code": doctor_server.code,
    "page": block_page,
    "query": doctor_server.query,
    "canary": doctor_server.canary,
}
