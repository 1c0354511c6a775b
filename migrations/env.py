"""Run by alembic: all steps on the connection that `sinkhole.store.migrate` opened, in its transaction."""

from alembic import context

from sinkhole.store import admin_models, models, out_models  # noqa: F401 - all tables, for the metadata
from sinkhole.store.table import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=False,  # the caller holds the transaction
)
context.run_migrations()
