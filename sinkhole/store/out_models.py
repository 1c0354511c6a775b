"""The tables of receivers and alerts. Times are epoch seconds."""

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sinkhole.store.models import Base


class OutCursor(Base):
    """How far a receiver has come: `position` is the id of the last hit, alert or audit entry that it took.

    `at` is when it last took something; `failing` since when it takes nothing, and `why`; None while all is well.
    """

    __tablename__ = "out_cursor"

    receiver: Mapped[str] = mapped_column(String(32), primary_key=True)
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    position: Mapped[int]
    sent: Mapped[int]
    lost: Mapped[int]
    at: Mapped[int | None]
    failing: Mapped[int | None]
    why: Mapped[str | None] = mapped_column(Text)


class AlertRow(Base):
    """Something that a person should know; of one kind and cause there is one in a period. `facts` is JSON."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    cause: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("alert_cause", "kind", "cause", "at"), {"sqlite_autoincrement": True})


class AlertMemory(Base):
    """What is remembered to tell whether something is worth an alert: by `kind` and `key` a time or a number."""

    __tablename__ = "alert_memory"

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int]
