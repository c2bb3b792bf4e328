"""What the process that leads a service does for one district after the other, again and again."""

import asyncio
import logging
from collections.abc import Sequence

from chassis import tenancy
from chassis.database import Database, fault_of
from chassis.directory import Directory
from chassis.manifest import Round
from chassis.vault import Vault

log = logging.getLogger(__name__)


async def go_round(
    round_: Round, database: Database, vault: Vault, directory: Directory, districts: Sequence[str] = ()
) -> None:
    """For ever, through these districts or all that are in the pool, until a server fails, which the caller handles.

    Another fault is of one district and stops no other. One that is suspended is left as it is.
    """
    while True:
        for district in districts or [code for code in directory.codes if code not in database.apart]:
            if (entry := directory.entries.get(district)) and entry.suspended:
                continue
            try:
                with tenancy.acting_for(district):
                    await round_.visit(database, vault)
            except Exception as error:
                if fault_of(error):
                    raise
                log.error(f"{round_.name} failed", extra={"district": district, "kind": type(error).__name__})
        await asyncio.sleep(round_.every)
