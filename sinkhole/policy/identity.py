"""Who a client is beside its address."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """What sources say of the client at an address; policy believes it, so only what may decide is in here.

    Attributes:
        mac: as `aa:bb:cc:dd:ee:ff`.
        names: reverse names that lead back to the address, in lower case, without the last dot.
        ids: client-ids; those of DHCP in hexadecimal, and as text where they are one.
    """

    mac: str | None = None
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.mac or self.names or self.ids)
