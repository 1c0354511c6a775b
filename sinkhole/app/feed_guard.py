"""The names that feeds may not take, and the judge of those feeds that are signed."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from sinkhole.catalogue.document import admit_catalogue
from sinkhole.catalogue.signature import PublicKey, Signature, verify
from sinkhole.config.schema import Settings
from sinkhole.errors import CatalogueError, FeedError
from sinkhole.feeds.guard import Guard, feed_hosts
from sinkhole.feeds.signed import Signers
from sinkhole.policy.feed import Feed
from sinkhole.upstream.address import parse_upstream


def guard_of(settings: Settings, feeds: Iterable[Feed], never_block: Iterable[str]) -> Guard:
    """Return the guard of names that are never blocked, of where lists and answers come from, and of own addresses."""
    upstreams = [parse_upstream(text) for text in settings.upstream.servers]
    hosts = {upstream.host for upstream in upstreams if upstream.host.strip("0123456789.:")}
    asked = {upstream.host for upstream in upstreams if upstream.is_literal}
    own = {address for address in (settings.blocking.ipv4, settings.blocking.ipv6) if address is not None}
    return Guard(never_block, feed_hosts(feeds) | hosts, asked | own)


def catalogue_signers(guard: Guard) -> Signers:
    """Return what judges signed feeds: each is a catalogue in JSON, signed in the form of minisign."""
    return Signers(_admit, guard)


def _admit(body: Path, signature: Path, key: str) -> int:
    """Return the version of a catalogue whose signature fits and that the lint finds no mistake in.

    Nothing of it is read before its signature was verified.
    """
    try:
        verify(body, Signature.from_octets(signature.read_bytes()), PublicKey.from_text(key))
        return admit_catalogue(body.read_bytes(), dt.datetime.now(dt.UTC).date()).version
    except CatalogueError as error:
        raise FeedError(f"{error}".replace("\n", "; ")) from error
