"""The first tables: pushes, their steps, the queue, the heartbeat."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "pushes",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("pushed_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        sa.CheckConstraint(
            "outcome IN ('updated', 'skipped', 'no-workload', 'ignored', 'retrying', 'failed')", name="outcome"
        ),
        sa.CheckConstraint("(state IN ('done', 'failed')) = (settled_at IS NOT NULL)", name="settled"),
        sa.CheckConstraint("settled_at IS NOT NULL OR due_at IS NOT NULL", name="due"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    _index_where("ix_pushes_waiting", "pushes", ["repository", "due_at", "id"], "settled_at IS NULL")
    _index_where("ix_pushes_settled", "pushes", ["settled_at"], "settled_at IS NOT NULL AND outcome != 'ignored'")
    _index_where("ix_pushes_ignored", "pushes", ["settled_at"], "outcome = 'ignored'")
    op.create_index("ix_pushes_repository", "pushes", ["repository", "id"])
    _create_steps()
    op.create_table(
        "queue",
        sa.Column("repository", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("claim_token", sa.Text),
        sa.Column("lease_until_at", sa.BigInteger),
        sa.CheckConstraint("(claim_token IS NULL) = (lease_until_at IS NULL)", name="lease"),
        sqlite_with_rowid=False,
    )
    _index_where("ix_queue_due", "queue", ["due_at", "repository"], "claim_token IS NULL")
    _index_where("ix_queue_lease", "queue", ["lease_until_at"], "lease_until_at IS NOT NULL")
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="single"),
    )


def _create_steps() -> None:
    op.create_table(
        "steps",
        sa.Column(
            "push_id", _ID, sa.ForeignKey("pushes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("backend", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("workload", sa.Text, nullable=False),
        sa.Column("container", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("current", sa.Text, nullable=False),
        sa.Column("candidate", sa.Text, nullable=False),
        sa.Column("image", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text, nullable=False),
        sa.CheckConstraint("action IN ('update', 'skip')", name="action"),
        sa.CheckConstraint("(action = 'skip') = (reason IS NOT NULL)", name="reason"),
        sa.CheckConstraint("result IN ('applied', 'waiting', 'failed')", name="result"),
        sqlite_with_rowid=False,
    )


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
