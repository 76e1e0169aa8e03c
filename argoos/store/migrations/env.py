"""Runs the migrations over the connection that `argoos.store.schema` hands in."""

from alembic import context

from argoos.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
