"""What the process may do: give up root once the sockets are bound, and use the descriptors it is allowed."""

import grp
import os
import pwd
import resource
from pathlib import Path

from sinkhole.errors import ConfigError


def drop_privileges(user: str | None, folder: Path) -> None:
    """Become `user`, with its groups and nothing else; the data folder becomes its own. None: stay who we are.

    Raises:
        ConfigError: there is no such user, or we are not root and cannot change.
    """
    if user is None or (os.geteuid() != 0 and pwd.getpwuid(os.geteuid()).pw_name == user):
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(f"config: server.user: there is no user {user!r} on this machine") from None
    if os.geteuid() != 0:
        raise ConfigError("config: server.user: only root can change to another user")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    os.setgroups([g.gr_gid for g in grp.getgrall() if user in g.gr_mem])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


MOST_DESCRIPTORS = 65_536
"""More are of no use to one process: each query in flight takes one, and far fewer may be in flight."""


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one: 1024, the usual default, is meant for `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
