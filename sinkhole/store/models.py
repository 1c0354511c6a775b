"""The tables. Times are epoch seconds (UTC) unless a column says minutes or days; texts repeat through `word` ids."""

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text

from sinkhole.store.table import Base, column, optional


class Word(Base):
    """A text that many hits share: a name, a client, a vendor …; hits hold its id.

    `used` is a time, in units of `words.TICK_MINUTES`, that no hit with this text is newer than; a word older than the
    oldest hit is in no hit, which makes forgetting it cheap.
    """

    __tablename__ = "word"

    id = column(Integer, primary_key=True, autoincrement=True)
    text = column(Text, unique=True)
    used = column(Integer)

    __table_args__ = ({"sqlite_autoincrement": True},)


class Hit(Base):
    """Equal queries of one minute. `client`, `name`, `group` … are ids of words.

    They are no foreign keys: deleting a word would search all hits for it, column by column.
    """

    __tablename__ = "hit"

    id = column(Integer, primary_key=True, autoincrement=True)
    minute = column(Integer)
    client = column(Integer)
    name = column(Integer)
    qtype = column(Integer)
    action = column(Integer)
    group = optional(Integer)
    vendor = optional(Integer)
    product = optional(Integer)
    feed = optional(Integer)
    subject = optional(Integer)
    count = column(Integer)
    first = column(Integer)
    last = column(Integer)

    __table_args__ = (
        Index("hit_minute", "minute"), Index("hit_client", "client", "minute"), {"sqlite_autoincrement": True}
    )  # fmt: skip


class Daily(Base):
    """Hits of one day by what was done with which product: what is left of them when they are forgotten.

    It holds no client, only how many there were, so that it may be kept longer than hits. `group`, `vendor` and
    `product` are texts, empty for none.
    """

    __tablename__ = "daily"

    day = column(Integer, primary_key=True, autoincrement=False)
    vendor = column(Text, primary_key=True)
    product = column(Text, primary_key=True)
    group = column(Text, primary_key=True)
    action = column(Integer, primary_key=True, autoincrement=False)
    clients = column(Integer)
    attempts = column(Integer)
    hits = column(Integer)


class SpanRow(Base):
    """A time whose hits are counted, from the hour `begin` since the epoch, as the fields of `store.spans`.

    `window` and `labels` are what it was counted with: seconds of an attempt, and a digest of the categories. No two
    countings have the same `serial`.
    """

    __tablename__ = "span"

    hours = column(Integer, primary_key=True, autoincrement=False)
    begin = column(Integer, primary_key=True, autoincrement=False)
    window = column(Integer)
    labels = column(String(16))
    serial = column(Integer)

    __table_args__ = ({"sqlite_with_rowid": False},)


class SlotChangeRow(Base):
    """When hits of a slot of `store.slots` changed last, by numbers that are never given twice."""

    __tablename__ = "slot_change"

    change = column(Integer, primary_key=True)
    slot = column(Integer, unique=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class SpanSumRow(Base):
    """What was done of something in a span; it goes when hits of that time go.

    `by` is a `span_sql.By`, `clients` are words in four octets each; None where the key is a client.
    """

    __tablename__ = "span_sum"

    by = column(Integer, primary_key=True, autoincrement=False)
    hours = column(Integer, primary_key=True, autoincrement=False)
    begin = column(Integer, primary_key=True, autoincrement=False)
    key = column(Integer, primary_key=True, autoincrement=False)
    part = column(Integer, primary_key=True, autoincrement=False)
    attempts = column(Integer)
    hits = column(Integer)
    blocked = column(Integer)
    coached = column(Integer)
    first = column(Integer)
    last = column(Integer)
    clients = optional(LargeBinary)

    __table_args__ = ({"sqlite_with_rowid": False},)


class Handover(Base):
    """The last batch taken from a worker, so that a batch sent twice counts once."""

    __tablename__ = "handover"

    worker = column(String(32), primary_key=True)
    seq = column(Integer)
    at = column(Integer)


class Counter(Base):
    """A number that only grows, such as hits dropped."""

    __tablename__ = "counter"

    name = column(String(64), primary_key=True)
    value = column(Integer)


class StatementRow(Base):
    """One statement of policy; `schedule` is empty for always, since two NULLs would be two values of its key."""

    __tablename__ = "statement"

    id = column(Integer, primary_key=True, autoincrement=True)
    subject = column(Text)
    action = column(String(16))
    group = optional(String(64), ForeignKey("client_group.name", ondelete="CASCADE"))
    reason = optional(Text)
    owner = optional(Text)
    ticket = optional(Text)
    expires = optional(Integer)
    schedule = column(Text, server_default=text("''"))
    basis = optional(String(16))

    __table_args__ = (
        UniqueConstraint("subject", "group", "schedule"),
        # To a unique constraint two NULLs are two values.
        Index("statement_for_all", "subject", "schedule", unique=True, sqlite_where=text('"group" IS NULL')),
        {"sqlite_autoincrement": True},
    )


class GroupRow(Base):
    """A group of clients; `answer` is JSON of how its blocked names are answered, or None."""

    __tablename__ = "client_group"

    name = column(String(64), primary_key=True)
    order = column(Integer)
    answer = optional(Text)


class MemberRow(Base):
    """A member of a group; `kind` and `value` as in `policy.member`."""

    __tablename__ = "group_member"

    group = column(String(64), ForeignKey("client_group.name", ondelete="CASCADE"), primary_key=True)
    kind = column(String(16), primary_key=True)
    value = column(Text, primary_key=True)


class ClientRow(Base):
    """A client that asked: its address as `record.clients` permits, first and last query, and who it was at last.

    `groups`, `names` and `ids` are texts with a line each; they are empty where the client is a pseudonym, `groups`
    apart.
    """

    __tablename__ = "client"

    id = column(Integer, primary_key=True, autoincrement=True)
    text = column(Text, unique=True)
    first = column(Integer)
    last = column(Integer)
    groups = column(Text)
    mac = optional(Text)
    names = column(Text)
    ids = column(Text)
    host = optional(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class ClientHour(Base):
    """How many queries a client sent in an hour (since the epoch), and whether a source said that it was there.

    `client` is the id of a client and no foreign key, since hours are deleted first.
    """

    __tablename__ = "client_hour"

    hour = column(Integer, primary_key=True, autoincrement=False)
    client = column(Integer, primary_key=True, autoincrement=False)
    queries = column(Integer)
    alive = column(Boolean)

    __table_args__ = ({"sqlite_with_rowid": False},)


class ExpectationRow(Base):
    """What policy must say of a name, as the fields of `policy.expectation`; `group` may be of one that is gone."""

    __tablename__ = "expectation"

    id = column(Integer, primary_key=True)
    name = column(Text)
    qtype = column(String(16))
    client = optional(String(64))
    group = optional(String(64))
    at = optional(Integer)
    expect = column(String(16))
    by = optional(Text)
    why = optional(Text)


class ExceptionRow(Base):
    """An exception, as the fields of `policy.exception`; kept for the record when it is over. `group` may be gone."""

    __tablename__ = "policy_exception"

    id = column(Integer, primary_key=True, autoincrement=True)
    subject = column(Text)
    client = optional(String(64))
    group = optional(String(64))
    reason = column(Text)
    owner = column(Text)
    ticket = optional(Text)
    state = column(String(16))
    approver = optional(Text)
    created = column(Integer)
    decided = optional(Integer)
    expires = column(Integer)

    __table_args__ = ({"sqlite_autoincrement": True},)


class OverrideRow(Base):
    """A pause, a lockdown or a grant.

    `subjects` are separated by blanks. `ended` is when it was ended before its time. `token` is of a grant: the digest
    of what it was given for, which is given for once.
    """

    __tablename__ = "override"

    id = column(Integer, primary_key=True, autoincrement=True)
    kind = column(String(16))
    subjects = column(Text)
    client = optional(String(64))
    group = optional(String(64))
    reason = optional(Text)
    owner = optional(Text)
    begins = column(Integer)
    ends = column(Integer)
    ended = optional(Integer)
    token = optional(String(64), unique=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class FeedRow(Base):
    """A feed as configured, and how it stands; both as the fields of `policy.feed`."""

    __tablename__ = "feed"

    name = column(String(64), primary_key=True)
    url = column(Text)
    format = column(String(32))
    match = column(String(16))
    part_of_ai = column(Boolean)
    enabled = column(Boolean)
    allow_private = column(Boolean)
    local = column(Boolean)
    interval = optional(Integer)
    licence = optional(Text)
    homepage = optional(Text)
    status = column(String(16))
    version = column(Integer)
    pending_version = optional(Integer)
    sha256 = optional(String(64))
    etag = optional(Text)
    last_modified = optional(Text)
    fetched_at = optional(Integer)
    changed_at = optional(Integer)
    next_due = optional(Integer)
    failures = column(Integer)
    rules = column(Integer)
    rejected = column(Integer)
    message = optional(Text)
    key = optional(Text)


class SyncRun(Base):
    """One sync of one feed, as it ended."""

    __tablename__ = "sync_run"

    id = column(Integer, primary_key=True)
    at = column(Integer)
    feed = column(String(64))
    status = column(String(16))
    took_ms = column(Integer)
    rules = column(Integer)
    message = optional(Text)

    __table_args__ = (Index("sync_run_feed", "feed", "at"),)


class Audit(Base):
    """A change of policy, groups or feeds; rows are only ever added. `digest` chains each to the one before."""

    __tablename__ = "audit"

    id = column(Integer, primary_key=True, autoincrement=True)
    at = column(Integer)
    who = column(Text)
    what = column(Text)
    before = optional(Text)
    after = optional(Text)
    origin = column(Text, server_default=text("''"))
    digest = optional(String(64))

    __table_args__ = ({"sqlite_autoincrement": True},)


class CandidateRow(Base):
    """A domain that looks like AI, as the fields of `store.candidates`; `reasons` and `examples` are lists in JSON."""

    __tablename__ = "candidate"

    domain = column(Text, primary_key=True)
    state = column(String(16))
    reasons = column(Text)
    examples = column(Text)
    count = column(Integer)
    first = column(Integer)
    last = column(Integer)
    is_by_name = column(Boolean)
    product = optional(Text)
    note = optional(Text)


class CandidateClientRow(Base):
    """A client that asked for a candidate, as it is stored of hits; only where the settings want it."""

    __tablename__ = "candidate_client"

    domain = column(Text, ForeignKey("candidate.domain", ondelete="CASCADE"), primary_key=True)
    client = column(Text, primary_key=True)
