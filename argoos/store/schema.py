"""Which revision the tables are of, and how they come to be of the newest."""

from sqlalchemy import Connection, Text, column, inspect, select, table

from argoos.errors import StoreUnavailable

REVISIONS = ("0001",)
"""The revisions in order, each a file in `argoos/store/migrations/versions`; a test compares."""

HEAD = REVISIONS[-1]

_VERSION = table("alembic_version", column("version_num", Text))


def upgrade(connection: Connection, *, where: str) -> None:
    """Make the tables those of this version of Argoos, in the transaction that the connection is in.

    Alembic is imported only if there is something to do: it takes memory and time that a start should not cost.

    Raises:
        StoreUnavailable: `where` holds something else than Argoos's tables, or those of a newer version.
    """
    found = _revision(connection, where)
    if found == HEAD:
        return
    if found is not None and found not in REVISIONS:
        raise StoreUnavailable(_newer(where, found))

    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "argoos.store:migrations")
    config.set_main_option("path_separator", "os")
    command.upgrade(config, HEAD)


def require(connection: Connection, *, where: str) -> None:
    """Refuse tables that are not those of this version, for those who only read.

    Raises:
        StoreUnavailable: they are not.
    """
    found = _revision(connection, where)
    if found == HEAD:
        return
    if found is None:
        raise StoreUnavailable(f"database {where} is empty: `argoos serve` makes its tables when it starts")
    if found in REVISIONS:
        raise StoreUnavailable(
            f"database {where} is of revision {found}, this Argoos needs {HEAD}: "
            "start its `argoos serve` once, which brings it up to date"
        )
    raise StoreUnavailable(_newer(where, found))


def _revision(connection: Connection, where: str) -> str | None:
    """Return the revision of the tables, None where there are no tables at all."""
    tables = set(inspect(connection).get_table_names())
    found: str | None = connection.scalar(select(_VERSION.c.version_num)) if _VERSION.name in tables else None
    others = sorted(tables - {_VERSION.name})
    if found is None and others:
        raise StoreUnavailable(
            f"database {where} is not Argoos's: it has the tables {', '.join(others[:5])}; name another one"
        )
    return found


def _newer(where: str, found: str) -> str:
    return (
        f"database {where} is of revision {found}, which is newer than this Argoos ({HEAD}): "
        "install the version that made it, or a later one"
    )
