"""The tables. Times are epoch seconds (UTC) unless a column says minutes or days; texts repeat through `word` ids."""

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Root of the models."""


class Word(Base):
    """A text that many hits share: a name, a client, a vendor …; hits hold its id.

    `used` is a time, in units of `words.TICK_MINUTES`, that no hit with this text is newer than; a word older than the
    oldest hit is in no hit, which makes forgetting it cheap.
    """

    __tablename__ = "word"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    text: Mapped[str] = mapped_column(Text, unique=True)
    used: Mapped[int]

    __table_args__ = ({"sqlite_autoincrement": True},)


class Hit(Base):
    """Equal queries of one minute. `client`, `name`, `group` … are ids of words.

    They are no foreign keys: deleting a word would search all hits for it, column by column.
    """

    __tablename__ = "hit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    minute: Mapped[int]
    client: Mapped[int]
    name: Mapped[int]
    qtype: Mapped[int]
    action: Mapped[int]
    group: Mapped[int | None]
    vendor: Mapped[int | None]
    product: Mapped[int | None]
    feed: Mapped[int | None]
    subject: Mapped[int | None]
    count: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]

    __table_args__ = (
        Index("hit_minute", "minute"), Index("hit_client", "client", "minute"), {"sqlite_autoincrement": True}
    )  # fmt: skip


class Daily(Base):
    """Hits of one day by what was done with which product: what is left of them when they are forgotten.

    It holds no client, only how many there were, so that it may be kept longer than hits. `group`, `vendor` and
    `product` are texts, empty for none.
    """

    __tablename__ = "daily"

    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vendor: Mapped[str] = mapped_column(Text, primary_key=True)
    product: Mapped[str] = mapped_column(Text, primary_key=True)
    group: Mapped[str] = mapped_column(Text, primary_key=True)
    action: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clients: Mapped[int]
    attempts: Mapped[int]
    hits: Mapped[int]


class SpanRow(Base):
    """A time whose hits are counted, from the hour `begin` since the epoch, as the fields of `store.spans`.

    `window` and `labels` are what it was counted with: seconds of an attempt, and a digest of the categories. No two
    countings have the same `serial`.
    """

    __tablename__ = "span"

    hours: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    begin: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    window: Mapped[int]
    labels: Mapped[str] = mapped_column(String(16))
    serial: Mapped[int]

    __table_args__ = ({"sqlite_with_rowid": False},)


class SpanSumRow(Base):
    """What was done of something in a span; it goes when hits of that time go.

    `by` is a `span_sql.By`, `clients` are words in four octets each; None where the key is a client.
    """

    __tablename__ = "span_sum"

    by: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hours: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    begin: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    attempts: Mapped[int]
    hits: Mapped[int]
    blocked: Mapped[int]
    coached: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    clients: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = ({"sqlite_with_rowid": False},)


class Handover(Base):
    """The last batch taken from a worker, so that a batch sent twice counts once."""

    __tablename__ = "handover"

    worker: Mapped[str] = mapped_column(String(32), primary_key=True)
    seq: Mapped[int]
    at: Mapped[int]


class Counter(Base):
    """A number that only grows, such as hits dropped."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int]


class StatementRow(Base):
    """One statement of policy; `schedule` is empty for always, since two NULLs would be two values of its key."""

    __tablename__ = "statement"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(16))
    group: Mapped[str | None] = mapped_column(ForeignKey("client_group.name", ondelete="CASCADE"))
    reason: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    ticket: Mapped[str | None] = mapped_column(Text)
    expires: Mapped[int | None]
    schedule: Mapped[str] = mapped_column(Text, server_default=text("''"))
    basis: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (
        UniqueConstraint("subject", "group", "schedule"),
        # To a unique constraint two NULLs are two values.
        Index("statement_for_all", "subject", "schedule", unique=True, sqlite_where=text('"group" IS NULL')),
        {"sqlite_autoincrement": True},
    )


class GroupRow(Base):
    """A group of clients; `answer` is JSON of how its blocked names are answered, or None."""

    __tablename__ = "client_group"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    order: Mapped[int] = mapped_column(Integer)
    answer: Mapped[str | None] = mapped_column(Text)


class MemberRow(Base):
    """A member of a group; `kind` and `value` as in `policy.member`."""

    __tablename__ = "group_member"

    group: Mapped[str] = mapped_column(ForeignKey("client_group.name", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)


class ClientRow(Base):
    """A client that asked: its address as `record.clients` permits, first and last query, and who it was at last.

    `groups`, `names` and `ids` are texts with a line each; they are empty where the client is a pseudonym, `groups`
    apart.
    """

    __tablename__ = "client"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    text: Mapped[str] = mapped_column(Text, unique=True)
    first: Mapped[int]
    last: Mapped[int]
    groups: Mapped[str] = mapped_column(Text)
    mac: Mapped[str | None] = mapped_column(Text)
    names: Mapped[str] = mapped_column(Text)
    ids: Mapped[str] = mapped_column(Text)
    host: Mapped[str | None] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class ClientHour(Base):
    """How many queries a client sent in an hour (since the epoch), and whether a source said that it was there.

    `client` is the id of a client and no foreign key, since hours are deleted first.
    """

    __tablename__ = "client_hour"

    hour: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    queries: Mapped[int]
    alive: Mapped[bool]

    __table_args__ = ({"sqlite_with_rowid": False},)


class ExpectationRow(Base):
    """What policy must say of a name, as the fields of `policy.expectation`; `group` may be of one that is gone."""

    __tablename__ = "expectation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    qtype: Mapped[str] = mapped_column(String(16))
    client: Mapped[str | None] = mapped_column(String(64))
    group: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[int | None]
    expect: Mapped[str] = mapped_column(String(16))
    by: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class ExceptionRow(Base):
    """An exception, as the fields of `policy.exception`; kept for the record when it is over. `group` may be gone."""

    __tablename__ = "policy_exception"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(String(64))
    group: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)
    ticket: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    approver: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int]
    decided: Mapped[int | None]
    expires: Mapped[int]

    __table_args__ = ({"sqlite_autoincrement": True},)


class OverrideRow(Base):
    """A pause, a lockdown or a grant.

    `subjects` are separated by blanks. `ended` is when it was ended before its time. `token` is of a grant: the digest
    of what it was given for, which is given for once.
    """

    __tablename__ = "override"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    subjects: Mapped[str] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(String(64))
    group: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    begins: Mapped[int]
    ends: Mapped[int]
    ended: Mapped[int | None]
    token: Mapped[str | None] = mapped_column(String(64), unique=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class FeedRow(Base):
    """A feed as configured, and how it stands; both as the fields of `policy.feed`."""

    __tablename__ = "feed"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(32))
    match: Mapped[str] = mapped_column(String(16))
    part_of_ai: Mapped[bool]
    enabled: Mapped[bool]
    allow_private: Mapped[bool]
    local: Mapped[bool]
    interval: Mapped[int | None]
    licence: Mapped[str | None] = mapped_column(Text)
    homepage: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    pending_version: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    fetched_at: Mapped[int | None]
    changed_at: Mapped[int | None]
    next_due: Mapped[int | None]
    failures: Mapped[int]
    rules: Mapped[int]
    rejected: Mapped[int]
    message: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(Text)


class SyncRun(Base):
    """One sync of one feed, as it ended."""

    __tablename__ = "sync_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    feed: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    took_ms: Mapped[int]
    rules: Mapped[int]
    message: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("sync_run_feed", "feed", "at"),)


class Audit(Base):
    """A change of policy, groups or feeds; rows are only ever added. `digest` chains each to the one before."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[int]
    who: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text, server_default=text("''"))
    digest: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = ({"sqlite_autoincrement": True},)


class CandidateRow(Base):
    """A domain that looks like AI, as the fields of `store.candidates`; `reasons` and `examples` are lists in JSON."""

    __tablename__ = "candidate"

    domain: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[str] = mapped_column(Text)
    examples: Mapped[str] = mapped_column(Text)
    count: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    is_by_name: Mapped[bool]
    product: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class CandidateClientRow(Base):
    """A client that asked for a candidate, as it is stored of hits; only where the settings want it."""

    __tablename__ = "candidate_client"

    domain: Mapped[str] = mapped_column(ForeignKey("candidate.domain", ondelete="CASCADE"), primary_key=True)
    client: Mapped[str] = mapped_column(Text, primary_key=True)
