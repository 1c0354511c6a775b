"""The authority of the block page and the catalogue: made for its names, and compared with them later."""

import datetime as dt
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from sinkhole.app.state import catalogue_of_folder
from sinkhole.blockpage.authority import (
    CERTIFICATE,
    Authority,
    AuthorityError,
    make_authority,
    read_authority,
    write_authority,
)
from sinkhole.blockpage.constraints import permitted_names
from sinkhole.config.schema import Settings, ca_folder

_SHOWN = 3
ENDING_WITHIN = dt.timedelta(days=60)
"""How long before its end one is told: clients must be given the next one."""


@dataclass(frozen=True, slots=True)
class AuthorityState:
    """How an authority stands towards the catalogue in force.

    Attributes:
        outside: names of the catalogue that it may not vouch for.
        left_over: names that it may vouch for and that the catalogue no longer has.
    """

    authority: Authority
    outside: Sequence[str]
    left_over: Sequence[str]
    now: dt.datetime

    @property
    def is_over(self) -> bool:
        """Whether clients no longer believe it."""
        return self.authority.ends <= self.now

    @property
    def is_ending(self) -> bool:
        """Whether it ends soon."""
        return self.authority.ends <= self.now + ENDING_WITHIN

    def lines(self) -> list[str]:
        """Return what should be done and why, in words; nothing where nothing should."""
        authority, said = self.authority, []
        if self.is_ending:
            word = "ended" if self.is_over else "ends"
            said.append(
                f"the authority {word} on {authority.ends.astimezone():%Y-%m-%d}; run: sinkhole ca init --renew"
            )
        for names, what in (
            (self.outside, "the catalogue has {} that it is not good for"),
            (self.left_over, "it is good for {} that the catalogue has no longer"),
        ):
            if names:
                count = "1 name" if len(names) == 1 else f"{len(names)} names"
                such = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
                said.append(f"{what.format(count)} ({such}); run: sinkhole ca init --renew, and install it anew")
        return said

    @property
    def is_current(self) -> bool:
        """Whether nothing need be done."""
        return not (self.outside or self.left_over or self.is_ending)


def init_authority(settings: Settings, days: int, *, renew: bool) -> Authority:
    """Make the authority of an installation for the names of the catalogue in force.

    Args:
        renew: in place of the one there is, with its key; else there must be none.

    Raises:
        AuthorityError: there is one, or to renew there is none, or it cannot be made.
        CatalogueError, StoreError: the catalogue cannot be read.
    """
    folder = ca_folder(settings)
    before = read_authority(folder)
    if before is not None and not renew:
        raise AuthorityError(f"{folder / CERTIFICATE}: there is an authority; give --renew for new names, with its key")
    if before is None and renew:
        raise AuthorityError(f"{folder}: there is no authority to renew; make one with: sinkhole ca init")
    names = permitted_names(catalogue_of_folder(settings).catalogue)
    title = f"Sinkhole block page, {settings.blocking.organisation or socket.gethostname()}"
    made = make_authority(names, dt.datetime.now(dt.UTC), title=title, days=days, before=before)
    write_authority(folder, made)
    return made


def authority_of(settings: Settings) -> Authority:
    """Return the authority of an installation.

    Raises:
        AuthorityError: there is none, or it cannot be read.
    """
    found = read_authority(ca_folder(settings))
    if found is None:
        raise AuthorityError(f"{ca_folder(settings)}: there is no authority; make one with: sinkhole ca init")
    return found


def compare_authority(settings: Settings, authority: Authority) -> AuthorityState:
    """Compare an authority with the catalogue in force.

    Raises:
        CatalogueError, StoreError: the catalogue cannot be read.
    """
    wanted = permitted_names(catalogue_of_folder(settings).catalogue)
    outside = [name for name in wanted if not authority.covers(name)]
    left_over = sorted(authority.names.difference(wanted))
    return AuthorityState(authority, outside, left_over, dt.datetime.now(dt.UTC))
