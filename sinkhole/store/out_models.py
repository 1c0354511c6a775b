"""The tables of receivers and alerts. Times are epoch seconds."""

from sqlalchemy import Index, Integer, String, Text

from sinkhole.store.table import Base, column, optional


class OutCursor(Base):
    """How far a receiver has come: `position` is the id of the last hit, alert or audit entry that it took.

    `at` is when it last took something; `failing` since when it takes nothing, and `why`; None while all is well.
    """

    __tablename__ = "out_cursor"

    receiver = column(String(32), primary_key=True)
    what = column(String(16), primary_key=True)
    position = column(Integer)
    sent = column(Integer)
    lost = column(Integer)
    at = optional(Integer)
    failing = optional(Integer)
    why = optional(Text)


class AlertRow(Base):
    """Something that a person should know; of one kind and cause there is one in a period. `facts` is JSON."""

    __tablename__ = "alert"

    id = column(Integer, primary_key=True, autoincrement=True)
    at = column(Integer)
    kind = column(String(32))
    cause = column(Text)
    text = column(Text)
    facts = column(Text)

    __table_args__ = (Index("alert_cause", "kind", "cause", "at"), {"sqlite_autoincrement": True})


class AlertMemory(Base):
    """What is remembered to tell whether something is worth an alert: by `kind` and `key` a time or a number."""

    __tablename__ = "alert_memory"

    kind = column(String(32), primary_key=True)
    key = column(Text, primary_key=True)
    value = column(Integer)
