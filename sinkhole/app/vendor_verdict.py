"""What policy says of a vendor as a whole: the strictest verdict on its hosts, and on how many of them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.vendor import Vendor
from sinkhole.policy.verdict import Action
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import QType


@dataclass(frozen=True, slots=True)
class VendorVerdict:
    """The strictest action, and to how many of the hosts that were judged it is given."""

    action: Action
    hosts: int
    of: int


def verdict_of_vendor(policy: Policy, vendor: Vendor, scope: Scope, now: datetime) -> VendorVerdict | None:
    """Return the verdict on the hosts of a vendor that are its own; None where it has none."""
    names = [domain.name.replace("*", "x") for product in vendor.products for domain in product.domains
             if not domain.opt_in]  # fmt: skip
    actions = Counter(policy.decide(name_from_text(name), QType.A, scope, now).action for name in names)
    if not actions:
        return None
    strictest = max(actions)
    return VendorVerdict(strictest, actions[strictest], len(names))
