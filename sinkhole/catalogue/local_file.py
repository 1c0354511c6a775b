"""Change the text of a vendor file that people may have written in: what is not concerned stays as it is."""

import re

from sinkhole.catalogue.author import product_text, vendor_text
from sinkhole.errors import CatalogueError
from sinkhole.policy.vendor import Product, Vendor

_HEADER = re.compile(r"\s*\[")
_COMMENT = re.compile(r"\s*#")
_ASIDE = re.compile(r"\s*(#.*)?$")
_PRODUCT = re.compile(r"\s*\[\[\s*products\s*\]\]")
_DOMAIN = re.compile(r"\s*\[\[\s*products\.domains\s*\]\]")


def with_product(text: str | None, vendor: Vendor, product: Product) -> str:
    """Return the text of a vendor file with one more product, or more of one: products of one slug are one.

    Args:
        text: of the file; None where there is none yet.
        vendor: whose it is, for a new file.
    """
    if text is None:
        return vendor_text(vendor)
    return text + ("" if text.endswith("\n") else "\n") + product_text(product)


def without_domain(text: str, domain: str) -> str | None:
    """Return the text of a vendor file without a domain, nor the product that has no other; None if nothing is left.

    Raises:
        CatalogueError: the domain does not stand there in a table of its own.
    """
    name = re.compile(rf"""\s*name\s*=\s*["']{re.escape(domain)}["']\s*(#.*)?$""")
    kept: list[list[str]] = []
    is_found = is_emptied = False
    for block in _blocks(text):
        head = _head(block)
        if _DOMAIN.match(head) and any(map(name.match, block)):
            is_found = True
            is_emptied = bool(kept) and _PRODUCT.match(_head(kept[-1])) is not None
            continue
        if is_emptied and not _DOMAIN.match(head):
            kept.pop()
        is_emptied = False
        kept.append(block)
    if is_emptied:
        kept.pop()
    if not is_found:
        raise CatalogueError(f"{domain}: stands in no table [[products.domains]] of its own; take it out by hand")
    if not any(_PRODUCT.match(_head(block)) for block in kept):
        return None
    return "".join(line for block in kept for line in block)


def _blocks(text: str) -> list[list[str]]:
    """Cut a file into its tables, each with the comment right above it and the gap above that."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if _HEADER.match(line):
            blocks.append(_take_above(blocks[-1]))
        blocks[-1].append(line)
    return blocks


def _take_above(lines: list[str]) -> list[str]:
    """Take off the end of a table what belongs to the next one."""
    at = len(lines)
    while at and _COMMENT.match(lines[at - 1]):
        at -= 1
    while at and not lines[at - 1].strip():
        at -= 1
    taken = lines[at:]
    del lines[at:]
    return taken


def _head(block: list[str]) -> str:
    return next((line for line in block if not _ASIDE.match(line)), "")
