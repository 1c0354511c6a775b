"""The tables of the admin side: who may use it. Times are epoch seconds; secrets are kept as digests."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sinkhole.store.models import Base


class AdminAccount(Base):
    """Who may use the admin side: `password` is an argon2id hash, `role` is `read`, `report` or `manage`.

    `totp` is the secret of the second factor, None for none; `totp_step` the last 30-second step it was used at.
    """

    __tablename__ = "admin_account"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str] = mapped_column(Text)
    totp: Mapped[str | None] = mapped_column(Text)
    totp_step: Mapped[int]
    created: Mapped[int]
    changed: Mapped[int]


class AdminRecovery(Base):
    """A recovery code of an account, as its digest; it is deleted when it is used."""

    __tablename__ = "admin_recovery"

    account: Mapped[str] = mapped_column(ForeignKey("admin_account.name", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)


class AdminSession(Base):
    """A log-in of an account, by the digest of what its cookie holds; `ends` whatever is done meanwhile."""

    __tablename__ = "admin_session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("admin_account.name", ondelete="CASCADE"))
    began: Mapped[int]
    used: Mapped[int]
    ends: Mapped[int]
    address: Mapped[str] = mapped_column(String(64))


class AdminToken(Base):
    """A token of the API, by its digest; `scopes` are separated by blanks."""

    __tablename__ = "admin_token"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(Text)
    maker: Mapped[str] = mapped_column(Text)
    created: Mapped[int]
    ends: Mapped[int]
    used: Mapped[int | None]


class AdminLink(Base):
    """A link with which an account may be made once, by the digest of its secret; a new one takes its place."""

    __tablename__ = "admin_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    maker: Mapped[str] = mapped_column(Text)
    ends: Mapped[int]
