"""The tables of the admin side: who may use it. Times are epoch seconds; secrets are kept as digests."""

from sqlalchemy import ForeignKey, Integer, String, Text

from sinkhole.store.table import Base, column, optional


class AdminAccount(Base):
    """Who may use the admin side: `password` is an argon2id hash, `role` is `read`, `report` or `manage`.

    `totp` is the secret of the second factor, None for none; `totp_step` the last 30-second step it was used at.
    `last_login` is when a session was last begun, None where that is not known.
    """

    __tablename__ = "admin_account"

    name = column(String(64), primary_key=True)
    role = column(String(16))
    password = column(Text)
    totp = optional(Text)
    totp_step = column(Integer)
    created = column(Integer)
    changed = column(Integer)
    last_login = optional(Integer)


class AdminRecovery(Base):
    """A recovery code of an account, as its digest; it is deleted when it is used."""

    __tablename__ = "admin_recovery"

    account = column(String(64), ForeignKey("admin_account.name", ondelete="CASCADE"), primary_key=True)
    digest = column(String(64), primary_key=True)


class AdminSession(Base):
    """A log-in of an account, by the digest of what its cookie holds; `ends` whatever is done meanwhile."""

    __tablename__ = "admin_session"

    digest = column(String(64), primary_key=True)
    account = column(String(64), ForeignKey("admin_account.name", ondelete="CASCADE"))
    began = column(Integer)
    used = column(Integer)
    ends = column(Integer)
    address = column(String(64))


class AdminToken(Base):
    """A token of the API, by its digest; `scopes` are separated by blanks."""

    __tablename__ = "admin_token"

    name = column(String(64), primary_key=True)
    digest = column(String(64), unique=True)
    scopes = column(Text)
    maker = column(Text)
    created = column(Integer)
    ends = column(Integer)
    used = optional(Integer)


class AdminLink(Base):
    """A link with which an account may be made once, by the digest of its secret; a new one takes its place."""

    __tablename__ = "admin_link"

    digest = column(String(64), primary_key=True)
    role = column(String(16))
    maker = column(Text)
    ends = column(Integer)
