"""Public suffixes, from the snapshot that ships with tldextract; never from the network.

Only the ICANN section counts. Names of the private section (`oaiusercontent.com`, `hf.space`) belong to one owner
and are legitimate to block.
"""

from functools import cache

import tldextract


@cache
def _extract() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False)


def is_public_suffix(name: str) -> bool:
    """Whether `name` (lower-case A-label, no final dot) is itself a suffix under which the public registers names.

    A name with a single label counts, whether the list knows it or not.
    """
    return "." not in name or not _extract()(name).domain


def registrable_domain(name: str) -> str | None:
    """Return the domain that was registered (`www.example.co.uk` gives `example.co.uk`), None for a suffix."""
    parts = _extract()(name)
    return f"{parts.domain}.{parts.suffix}" if parts.domain and parts.suffix else None
