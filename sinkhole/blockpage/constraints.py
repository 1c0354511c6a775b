"""Which names the local authority may vouch for: those of the catalogue, and nothing beside them."""

from collections.abc import Iterable

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.vendor import DomainMatch
from sinkhole.public_suffix import is_public_suffix


def permitted_names(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the names that, with all below them, certificates may be issued for; none is below another, sorted.

    Left out is what others share: domains that are matched only when asked for, wildcards (all below their fixed part
    would be permitted, such as a whole cloud), public suffixes, names that nothing may block, and names above one.
    """
    found = {
        domain.name
        for vendor in catalogue.vendors
        for product in vendor.products
        for domain in product.domains
        if domain.match is not DomainMatch.WILDCARD and not domain.opt_in
    }
    above_vetoes = {name for veto in catalogue.vetoes for name in _at_and_above(veto)}
    return outermost(name for name in found - above_vetoes if not is_public_suffix(name))


def outermost(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are not below another one of them, sorted."""
    all_of_them = set(names)
    return tuple(sorted(name for name in all_of_them if covering(name, all_of_them) == name))


def covering(name: str, names: "frozenset[str] | set[str]") -> str | None:
    """Return the outermost of the names that a name is at or below, None where there is none."""
    return next((above for above in reversed(_at_and_above(name)) if above in names), None)


def _at_and_above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]
