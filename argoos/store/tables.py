"""The tables. What must always hold is written here as constraints, so that no code can break it.

`queue` has one row for each repository with waiting pushes. Its primary key is the repository, and a claim is three
columns of that row: so a repository has at most one living claim, whoever asks.

A change here needs a migration beside it; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
)

from argoos.core.record import Outcome, PushState, StepResult
from argoos.store.moment import Moment

metadata = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER PRIMARY KEY


def _one_of(column: str, words: type[PushState] | type[Outcome] | type[StepResult]) -> CheckConstraint:
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _index_where(name: str, *columns: Column[object], where: ColumnElement[bool]) -> Index:
    """Make an index over the rows that matter, in the spelling of each database."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


pushes = Table(
    "pushes",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("repository", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("pushed_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("reason", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("settled_at", Moment),
    _one_of("state", PushState),
    _one_of("outcome", Outcome),
    CheckConstraint("(state IN ('done', 'failed')) = (settled_at IS NOT NULL)", name="settled"),
    CheckConstraint("settled_at IS NOT NULL OR due_at IS NOT NULL", name="due"),
    sqlite_autoincrement=True,  # an id is the order of arrival: that of a pruned push is never given again
)
"""Every part of every delivery. `due_at` of a running push is what it was when it was claimed."""

WAITING = pushes.c.settled_at.is_(None)
"""Queued or running."""

IGNORED = pushes.c.outcome == literal_column(f"'{Outcome.IGNORED.value}'")
SETTLED = and_(pushes.c.settled_at.is_not(None), pushes.c.outcome != literal_column(f"'{Outcome.IGNORED.value}'"))
"""What pruning looks for. The words are literals because an index over some rows is only used when they are."""

_index_where("ix_pushes_waiting", pushes.c.repository, pushes.c.due_at, pushes.c.id, where=WAITING)
_index_where("ix_pushes_settled", pushes.c.settled_at, where=SETTLED)
_index_where("ix_pushes_ignored", pushes.c.settled_at, where=IGNORED)
Index("ix_pushes_repository", pushes.c.repository, pushes.c.id)

steps = Table(
    "steps",
    metadata,
    Column("push_id", _Id, ForeignKey("pushes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("backend", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("workload", Text, nullable=False),
    Column("container", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("current", Text, nullable=False),
    Column("candidate", Text, nullable=False),
    Column("image", Text),
    Column("action", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text, nullable=False),
    Column("result", Text),
    Column("error", Text, nullable=False),
    CheckConstraint("action IN ('update', 'skip')", name="action"),
    CheckConstraint("(action = 'skip') = (reason IS NOT NULL)", name="reason"),
    _one_of("result", StepResult),
    sqlite_with_rowid=False,
)
"""What each push did to each container, in the order of the plan."""

queue = Table(
    "queue",
    metadata,
    Column("repository", Text, primary_key=True),
    Column("due_at", Moment, nullable=False),
    Column("claim_token", Text),
    Column("lease_until_at", Moment),
    CheckConstraint("(claim_token IS NULL) = (lease_until_at IS NULL)", name="lease"),
    sqlite_with_rowid=False,
)
"""The repositories with waiting pushes: when the earliest of these is due, and who has claimed them until when."""

FREE = queue.c.claim_token.is_(None)
CLAIMED = queue.c.lease_until_at.is_not(None)

_index_where("ix_queue_due", queue.c.due_at, queue.c.repository, where=FREE)
_index_where("ix_queue_lease", queue.c.lease_until_at, where=CLAIMED)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beat_at", Moment, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
"""One row, written to prove that the database can be written."""
