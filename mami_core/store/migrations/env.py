"""Alembic runs this: the connection comes from `store.database`, already inside the one transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
