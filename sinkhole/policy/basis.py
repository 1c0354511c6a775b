"""On what a block rests: who wanted it, which the extended DNS error tells (RFC 8914, sections 4.16 to 4.18)."""

from enum import StrEnum

from sinkhole.protocol.types import EdeCode


class Basis(StrEnum):
    """Who wanted a name to be blocked.

    OPERATOR: whoever runs this resolver or its network ("Blocked").
    LAW: somebody outside, whom the operator must obey ("Censored").
    REQUEST: the client's own side, such as a parent or the tenant of a network ("Filtered").
    """

    OPERATOR = "operator"
    LAW = "law"
    REQUEST = "request"

    @property
    def ede(self) -> int:
        """The code of the extended DNS error."""
        return _CODES[self]


_CODES = {Basis.OPERATOR: EdeCode.BLOCKED, Basis.LAW: EdeCode.CENSORED, Basis.REQUEST: EdeCode.FILTERED}
