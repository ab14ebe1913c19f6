"""Bring a database to the tables of this version: checked in a millisecond, done once however many processes start."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from ..core.errors import StorageFailed
from .database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0005"
"""The newest revision in `migrations/versions`, known here so that Alembic is loaded only when there is work to do."""
LOCK = 0x61692D63686174
"""PostgreSQL's advisory lock under which the tables are changed; any number that nobody else uses."""
COPIES = 3
MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(database: Database, *, head: str = HEAD, migrations: Path = MIGRATIONS) -> None:
    """Make or change the tables where they are not of this version; a file is copied before it is changed.

    Args:
        database: what to look at.
        head: the newest revision.
        migrations: the folder of the steps that lead there.

    Raises:
        StorageFailed: the database is of a newer version, or it cannot be read, copied or written.
    """
    async with database.reading() as connection:
        if await connection.run_sync(_revision) == head:
            return
    config = _config(migrations)
    async with database.writing() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        revision = await connection.run_sync(_revision)
        if revision == head:
            return  # another process was quicker
        if revision is not None:
            _refuse_unknown(config, revision, head, database.name)
            if database.file is not None:
                # Another connection may read while this one holds the right to write, and sees what was there before.
                await asyncio.to_thread(_copy, database.file, revision)
        await connection.run_sync(_run, config, head)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _config(migrations: Path) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - needed once in the life of a version

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_unknown(config: Config, revision: str, head: str, name: str) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError as error:
        raise StorageFailed(
            f"The database {name} is of a newer version of this program (its revision is {revision!r}, "
            f"{head!r} is the newest known here); update the program, or choose another data folder."
        ) from error


def _run(connection: Connection, config: Config, head: str) -> None:
    from alembic import command  # noqa: PLC0415 - see above

    config.attributes["connection"] = connection
    command.upgrade(config, head)


def _copy(file: Path, revision: str) -> None:
    """Copy a database beside itself as `NAME.REVISION.bak`, whole or not at all, and keep the newest copies."""
    copy = file.with_name(f"{file.name}.{revision}.bak")
    partial = copy.with_name(f"{copy.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StorageFailed(
            f"The database {str(file)!r} must be changed for this version, but no copy could be made of it first "
            f"({_first_line(error)}); nothing was changed, make room beside it and start again."
        ) from error
    beginning = f"{file.name}."
    copies = [other for other in file.parent.iterdir() if other.name.startswith(beginning) and other.suffix == ".bak"]
    for old in sorted(copies, key=_changed)[:-COPIES]:
        old.unlink(missing_ok=True)


def _changed(file: Path) -> tuple[int, str]:
    return file.stat().st_mtime_ns, file.name


def _first_line(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).partition("\n")[0]
