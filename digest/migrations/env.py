"""Alembic's door: runs on the connection that `store.migrate` hands over, inside its transaction."""

from alembic import context
from sqlmodel import SQLModel

import digest.models  # noqa: F401  (fills SQLModel.metadata)

context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
context.run_migrations()
