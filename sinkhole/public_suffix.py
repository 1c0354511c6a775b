"""Names too wide for a list: public suffixes of the ICANN section, from the snapshot that ships with tldextract."""

import importlib
from functools import cache

import idna


def is_public_suffix(name: str) -> bool:
    """Return whether `name` (lower-case A-labels) is a public suffix, or a single label, which may be one.

    The private section does not count: `oaiusercontent.com` and `hf.space` stand in it and are legitimate rows.
    """
    return "." not in name or is_listed_suffix(name)


def is_listed_suffix(name: str) -> bool:
    """Return whether `name` is a public suffix by a rule of the ICANN section."""
    suffixes = _icann_suffixes()
    if name in suffixes:
        return True
    # `*.ck` makes every name right below ck a suffix, except those listed as `!www.ck`.
    return "*." + name.partition(".")[2] in suffixes and "!" + name not in suffixes


def registrable_domain(name: str) -> str | None:
    """Return the domain that someone registered of a name (lower-case A-labels), or None where it is a suffix."""
    if is_public_suffix(name):
        return None
    labels = name.split(".")
    suffixes = _icann_suffixes()
    above = [".".join(labels[at:]) for at in range(1, len(labels))]
    # Below `*.ck` only exceptions are registered right below ck, so that is where they end.
    below = next(at for at, name in enumerate(above, 1) if is_public_suffix(name) or "*." + name in suffixes)
    return ".".join(labels[below - 1 :])


@cache
def _icann_suffixes() -> frozenset[str]:
    """Return the ICANN rules, loaded once: 30 ms, and as much again for the library, that few processes should pay."""
    tldextract = importlib.import_module("tldextract")
    # No URL and no cache folder: nothing is fetched, and two machines judge a list alike.
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False)
    return frozenset(rule if rule.isascii() else _to_ascii(rule) for rule in extract.tlds)


def _to_ascii(rule: str) -> str:
    mark = rule[: rule.startswith("*.") and 2]
    return mark + idna.encode(rule[len(mark) :], uts46=True).decode("ascii")
