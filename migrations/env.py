"""Alembic's entry: the url comes from `web.migrate`, the tables from every `models` module."""

from alembic import context

from core.db import Base, make_engine
from web.schema import load_models

load_models()
engine = make_engine(context.config.attributes["url"])
on_sqlite = engine.dialect.name == "sqlite"
with engine.connect() as connection:
    if on_sqlite:
        # A table is rebuilt by making it anew and dropping the old one, which to SQLite deletes its rows: others that
        # refer to them would refuse it, or go with them. So nobody refers while it lasts (sqlite.org/lang_altertable,
        # "Making Other Kinds Of Table Schema Changes"), and what refers to nothing is found before the commit.
        connection.connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=on_sqlite,
        user_module_prefix="core.db.",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        if on_sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            raise RuntimeError(
                f"rows that refer to nothing, in {sorted({row[0] for row in lost})}: nothing was changed"
            )
    connection.commit()
engine.dispose()
