"""Where the policy in force is found: one place, so that a swap is one assignment."""

from dataclasses import dataclass

from sinkhole.policy.engine import Policy


@dataclass(slots=True)
class PolicyBox:
    """Holds the policy in force; whoever judges looks here at the moment it judges."""

    current: Policy
