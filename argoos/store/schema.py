"""Which revision the tables are of, and how they come to be of the newest."""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

from argoos.errors import StoreUnavailable
from argoos.store.tables import metadata

REVISIONS = ("0001",)
"""The revisions in order, each a file in `argoos/store/migrations/versions`; a test compares."""

HEAD = REVISIONS[-1]

_ALEMBIC = MetaData()
_VERSION = Table(
    "alembic_version",  # as Alembic itself makes it
    _ALEMBIC,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def upgrade(connection: Connection, *, where: str) -> None:
    """Make the tables those of this version of Argoos, in the transaction that the connection is in.

    An empty database gets the newest tables as they are declared, which a test proves to be what the migrations lead
    to. Alembic is imported only for tables of an older revision: it costs 10 MB and a quarter of a second.

    Raises:
        StoreUnavailable: `where` holds something else than Argoos's tables, or those of a newer version.
    """
    found = _revision(connection, where)
    if found == HEAD:
        return
    if found is None:
        _create(connection)
        return
    if found not in REVISIONS:
        raise StoreUnavailable(_newer(where, found))
    migrate(connection)


def migrate(connection: Connection) -> None:
    """Run every migration that the tables lack, from none at all to the newest."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "argoos.store:migrations")
    config.set_main_option("path_separator", "os")
    command.upgrade(config, HEAD)


def _create(connection: Connection) -> None:
    """Make the newest tables, and note their revision where Alembic looks for it."""
    metadata.create_all(connection)
    _ALEMBIC.create_all(connection)
    connection.execute(insert(_VERSION), {"version_num": HEAD})


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
