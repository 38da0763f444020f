"""Alembic's entry: the url comes from `web.migrate`, the tables from every `models` module."""

from alembic import context

from core.db import Base, make_engine
from web.schema import load_models

load_models()
engine = make_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=engine.dialect.name == "sqlite",
        user_module_prefix="core.db.",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
