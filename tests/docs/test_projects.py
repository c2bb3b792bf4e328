"""Runs the program that `docs/projects.md` tells a livelihood project's life with."""

import sys

from tests.docs.running import blocks, here, known, run
from tests.harness import Platform

DISTRICT = "500108"


async def test_a_projects_life(city: Platform) -> None:
    await known(city, DISTRICT)
    command = here(city, blocks("docs/projects.md", "sh", "test_projects"))
    token = await run(city, "bash", "-euo", "pipefail", "-c", f'{command}\nprintf %s "$TOKEN"')
    program = here(city, blocks("docs/projects.md", "python", "test_projects"))
    said = (await run(city, sys.executable, "-W", "error", "-u", "-c", program, TOKEN=token)).splitlines()
    assert said[:4] == [
        "5 papers, 4 ballots",
        "加装电梯 OUTCOME_ADOPTED",
        "滨江步道 OUTCOME_ADOPTED",
        "路灯 OUTCOME_NOT_ADOPTED",
    ]
    assert said[-1].startswith("PROJECT_STATE_ACCEPTED in ")
