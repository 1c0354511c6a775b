"""What policy says of a vendor at this moment: the verdict on a host of each of its products."""

from dataclasses import dataclass
from datetime import datetime

from sinkhole.policy.engine import Policy
from sinkhole.policy.entry import is_default
from sinkhole.policy.groups import Scope
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.vendor import DomainMatch, Product, Vendor
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType

NOTHING = "none"
"""What is said of something that no statement reaches."""


@dataclass(frozen=True, slots=True)
class ProductVerdict:
    """What holds for a product, judged by `host`; `action` is that of the verdict in words, or `NOTHING`."""

    product: Product
    host: str
    verdict: Verdict

    @property
    def action(self) -> str:
        """In one word."""
        return NOTHING if self.verdict.subject is None else str(self.verdict.action)


def verdicts_on(policy: Policy, vendor: Vendor, scope: Scope, when: datetime) -> tuple[ProductVerdict, ...]:
    """Return what holds for each product that has a host of its own, for a client of a scope at an aware time."""
    found = []
    for product in vendor.products:
        host = _host(product)
        if host is not None:
            found.append(ProductVerdict(product, host, policy.decide(name_from_text(host), QType.A, scope, when)))
    return tuple(found)


def actions_on(policy: Policy, vendor: Vendor, scope: Scope, when: datetime) -> tuple[str, ...]:
    """Return the different actions on a vendor's products, the strictest first."""
    found = {one.action: one.verdict.action for one in verdicts_on(policy, vendor, scope, when)}
    return tuple(sorted(found, key=lambda word: (-found[word], word == NOTHING)))


def subjects_on(vendor: Vendor) -> frozenset[Subject]:
    """Return the subjects that reach a vendor or one of its products, those of single domains left out."""
    found = {
        Subject(SubjectKind.VENDOR, vendor.id), Subject(SubjectKind.MODELS, vendor.id),
        Subject(SubjectKind.JURISDICTION, vendor.jurisdiction.value),
    }  # fmt: skip
    for product in vendor.products:
        found.add(Subject(SubjectKind.PRODUCT, product.id))
        found |= {Subject(SubjectKind.CATEGORY, category) for category in product.categories}
        found |= {Subject(SubjectKind.MODELS, served) for served in product.serves}
        if is_default(vendor, product):
            found.add(Subject(SubjectKind.AI))
    return frozenset(found)


def _host(product: Product) -> str | None:
    """Return a name of a product: one that is matched without being asked for, if there is one."""
    names = [one for one in product.domains if one.match is not DomainMatch.WILDCARD]
    return next((one.name for one in names if not one.opt_in), names[0].name if names else None)
