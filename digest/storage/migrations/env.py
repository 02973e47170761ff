"""Alembic's entry: runs on the connection that `digest.storage.migrate` hands over."""

from alembic import context

from digest.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction covers everything
)
context.run_migrations()
