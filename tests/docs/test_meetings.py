"""Runs the program that `docs/meetings.md` tells a meeting's life with."""

import sys

from tests.docs.running import blocks, here, known, run
from tests.harness import Platform

DISTRICT = "500103"


async def test_a_meetings_life(city: Platform) -> None:
    await known(city, DISTRICT)
    command = here(city, blocks("docs/meetings.md", "sh", "test_meetings"))
    token = await run(city, "bash", "-euo", "pipefail", "-c", f'{command}\nprintf %s "$TOKEN"')
    program = here(city, blocks("docs/meetings.md", "python", "test_meetings"))
    said = (await run(city, sys.executable, "-W", "error", "-c", program, TOKEN=token)).splitlines()
    first, second, too_few, quorum, evaluated, closed, calendar = said
    assert first.startswith("proposed: ")
    assert second.startswith("proposed: ")
    assert too_few.startswith("FAILED_PRECONDITION ")
    assert quorum.startswith("5 expected, 3 needed, 4 present, by subdistrict_assembly.quorum@")
    assert evaluated.startswith("SATISFACTION_SATISFIED by votes.satisfied@")
    assert closed.endswith(" PHASE_CLOSED")
    assert calendar.startswith("1 entry, calendars/")
