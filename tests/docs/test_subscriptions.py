"""Runs the program that `docs/subscriptions.md` follows a district's events with."""

import sys

from tests.docs.running import blocks, here, known, run
from tests.harness import Platform

DISTRICT = "500111"


async def test_a_district_follows_its_events(city: Platform) -> None:
    await known(city, DISTRICT)
    command = here(city, blocks("docs/subscriptions.md", "sh", "test_subscriptions"))
    token = await run(city, "bash", "-euo", "pipefail", "-c", f'{command}\nprintf %s "$TOKEN"')
    program = here(city, blocks("docs/subscriptions.md", "python", "test_subscriptions"))
    said = await run(city, sys.executable, "-W", "error", "-u", "-c", program, TOKEN=token)
    assert said.splitlines() == ["quanyutong.registry.v1.AssemblyCreated /quanyutong/registry 大足区人民代表大会"]
