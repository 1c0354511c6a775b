"""Which catalogue is in force: the one that came with this installation, or a newer one that was synced."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.local_vendors import NO_LOCAL, LocalVendors
from sinkhole.catalogue.document import catalogue_from_json
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.signature import PublicKey, Signature, verify
from sinkhole.errors import CatalogueError, FeedError
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.in_force import version_in_force
from sinkhole.feeds.snapshot import Snapshots
from sinkhole.feeds.snapshot_files import BODY, SIGNATURE
from sinkhole.log import Log
from sinkhole.policy.feed import Feed, FeedState
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Product

_LOG = Log("catalogue")
_MATCHES = {DomainMatch.SUFFIX: Match.SUFFIX, DomainMatch.EXACT: Match.EXACT}


@dataclass(frozen=True, slots=True)
class CatalogueInForce:
    """The catalogue in force, and how it came to be.

    Attributes:
        feed: that it was synced by; None for the one of this installation.
        faults: why synced ones could not be used, by feed.
        local: what the vendor files of this network added to it.
    """

    catalogue: Catalogue
    feed: str | None
    faults: dict[str, str]
    local: LocalVendors = NO_LOCAL


def find_catalogue(
    feeds: Iterable[tuple[Feed, FeedState]], snapshots: Snapshots, guard: Callable[[Catalogue], Guard]
) -> CatalogueInForce:
    """Return the newest catalogue: a synced one only where its version is higher than that of this installation.

    A synced one that is broken, or not signed with the key its feed has now, is told of in the log and passed over.

    Args:
        feeds: all feeds; those with a key bring catalogues.
        snapshots: their versions.
        guard: of the names that a synced catalogue may not take, given the one of this installation.

    Raises:
        CatalogueError: that of this installation is broken.
    """
    shipped = shipped_catalogue()
    best, source = shipped, None
    faults = {}
    for feed, state in feeds:
        if feed.key is None or not feed.enabled or not state.version:
            continue
        try:
            found = _synced(snapshots, feed, state)
        except (CatalogueError, FeedError, OSError) as error:
            faults[feed.name] = str(error)
            _LOG.error("catalogue.broken", feed=feed.name, why=error, instead=f"version {best.version}")
            continue
        if found.version > best.version:
            best, source = found, feed.name
    if source is not None:
        best = _guarded(best, shipped, guard(shipped))
    return CatalogueInForce(best, source, faults)


def _synced(snapshots: Snapshots, feed: Feed, state: FeedState) -> Catalogue:
    version = version_in_force(snapshots, feed, state)
    if version is None:
        raise FeedError(f"none of the versions of feed {feed.name} is whole")
    if snapshots.meta(feed.name, version).key != feed.key:
        # A key is changed when the old one may be in wrong hands.
        raise FeedError(f"what it has is not signed with its key of now; fetch it anew: sinkhole sync {feed.name}")
    folder = snapshots.path(feed.name, version)
    verify(folder / BODY, Signature.from_octets((folder / SIGNATURE).read_bytes()), PublicKey.from_text(feed.key or ""))
    return catalogue_from_json((folder / BODY).read_bytes())


def _guarded(catalogue: Catalogue, shipped: Catalogue, guard: Guard) -> Catalogue:
    """Return a synced catalogue without what no feed may take; names that are never blocked can only become more."""
    return replace(
        catalogue,
        never_block=tuple(dict.fromkeys((*shipped.never_block, *catalogue.never_block))),
        vendors=tuple(
            replace(vendor, products=tuple(_without(product, guard) for product in vendor.products))
            for vendor in catalogue.vendors
        ),
        bypass=tuple(replace(way, domains=_allowed(way.domains, guard)) for way in catalogue.bypass),
        fingerprint=f"{catalogue.fingerprint} {shipped.fingerprint} {sorted(guard.hosts)}",
    )


def _without(product: Product, guard: Guard) -> Product:
    return replace(product, domains=_allowed(product.domains, guard))


def _allowed(domains: tuple[CatalogueDomain, ...], guard: Guard) -> tuple[CatalogueDomain, ...]:
    return tuple(domain for domain in domains if guard.objection(_rule(domain)) is None)


def _rule(domain: CatalogueDomain) -> Rule:
    if domain.match is DomainMatch.WILDCARD:
        return Rule(Match.MASK, f"|{domain.name}^")
    return Rule(_MATCHES[domain.match], domain.name)
