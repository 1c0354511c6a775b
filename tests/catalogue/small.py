"""A small catalogue that the lint finds nothing wrong with, for tests that change it."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from sinkhole.catalogue.document import catalogue_to_json
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.schema import CategoryEntry
from sinkhole.catalogue.signing_key import SigningKey
from sinkhole.policy.bypass import Bypass
from sinkhole.policy.vendor import (
    CatalogueDomain,
    DataUse,
    DomainMatch,
    DomainRole,
    Product,
    Stated,
    Training,
    Vendor,
    VendorKind,
)
from sinkhole.policy.verdict import Action

DAY = dt.date(2026, 11, 26)
VERSION = 2026112699
NAMES = ("acme.example", "chat.acme.example", "acme-cdn.example", "acme-auth.example")
_SEEN = "2026-11-01"


def domain(name: str, match: DomainMatch = DomainMatch.SUFFIX, *, opt_in: bool = False) -> CatalogueDomain:
    return CatalogueDomain(name, DomainRole.WEB, match, opt_in, "its own site", _SEEN, _SEEN)


def vendor(
    name: str, *products: Product, country: str = "US", not_default: bool = False, never_block: Iterable[str] = ()
) -> Vendor:
    fact = Stated("x", "high", "its terms of service")
    return Vendor(
        id=name,
        name=f"{name.title()} & Söhne",
        kind=VendorKind.AI_NATIVE,
        owner=Stated(f"{name.title()} Inc.", fact.confidence, fact.source),
        jurisdiction=Stated(country, fact.confidence, fact.source),
        confidence="high",
        source="its own site",
        products=products,
        never_block=tuple(never_block),
        not_default=not_default,
        data_use=DataUse(Training.OPT_OUT, "by mail", None, ("US", "DE"), "its policy", _SEEN),
    )


def product(name: str, *domains: CatalogueDomain, categories: Iterable[str] = ("chat",)) -> Product:
    return Product(name, name.title(), tuple(categories), domains)


def small(
    names: Iterable[str] = NAMES, version: int = VERSION, published: dt.date = DAY, never_block: Iterable[str] = ()
) -> Catalogue:
    """Return a catalogue whose vendor `acme` has these names, and whose others have one of every kind."""
    acme = vendor("acme", product("acme/chat", *map(domain, names)))
    other = vendor(
        "other",
        product("other/api", domain("api.*.other.example", DomainMatch.WILDCARD), categories=["api"]),
        product("other/site", domain("exact.other.example", DomainMatch.EXACT), categories=["api", "chat"]),
        product("other/extra", domain("extra.other.example", opt_in=True)),
        country="CN",
        never_block=["shared.example"],
    )
    mixed = vendor("mixed", product("mixed/mixed", domain("mixed.example")), not_default=True)
    way = Bypass("proxies", "Proxies", "Fetch pages for others.", (domain("proxy.example"),), Action.MONITOR, True)
    return Catalogue(
        vendors=(acme, mixed, other),
        categories={key: CategoryEntry(name=key.title(), meaning="Said in a test.") for key in ("api", "chat")},
        never_block=("protected.example", *never_block),
        fingerprint="",
        version=version,
        published=published,
        bypass=(way,),
    )  # fmt: skip


def publish(folder: Path, catalogue: Catalogue, key: SigningKey, name: str = "catalogue.json") -> tuple[bytes, bytes]:
    """Write a catalogue and its signature; return both."""
    path = folder / name
    path.write_bytes(catalogue_to_json(catalogue))
    signature = key.sign(path, f"version:{catalogue.version}").to_octets("signed in a test")
    path.with_name(name + ".minisig").write_bytes(signature)
    return path.read_bytes(), signature
