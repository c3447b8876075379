"""What a crash has left of files, made right when the folder is opened by a process that is alone with it.

Three things can be there: a file that a row names and that was not moved to its place; a file that no row names; and
a row of garbage whose file was not removed. All three are known without looking through `objects`.
"""

import json
from collections.abc import Sequence
from functools import partial
from sqlite3 import Connection

from smmu.adapters.embedded.database import Database
from smmu.adapters.embedded.errors import translating
from smmu.adapters.embedded.files import Files

_NAMED = "SELECT version FROM objects WHERE version IN (SELECT value FROM json_each(?))"
_WANTED = "SELECT id FROM sessions UNION SELECT aside FROM parts WHERE aside IS NOT NULL"


async def recover_files(database: Database, files: Files) -> None:
    """Move what is named to its place, and remove what is not. Nobody else may have the folder open."""
    incoming = files.all_incoming()
    named = {name for (name,) in await database.read_long(_NAMED, (json.dumps(incoming),))}
    wanted = {name for (name,) in await database.read_long(_WANTED)}
    garbage = [name for (name,) in database.read("SELECT version FROM garbage")]
    with translating():
        for name in named:
            files.settle(name)
        for name in {*incoming} - named - wanted:
            files.remove_incoming(name)
        for name in garbage:
            files.remove(name)
    if garbage:
        await database.write(partial(forget_garbage, garbage))


def forget_garbage(versions: Sequence[str], connection: Connection) -> None:
    """These files are gone."""
    connection.executemany("DELETE FROM garbage WHERE version = ?", [(version,) for version in versions])
