"""Runs what `docs/municipal.md` tells a municipal platform to ask."""

import json
from typing import Any

from tests.docs.running import blocks, here, known, run
from tests.harness import Platform, until

DISTRICT = "500113"
# Of the city, with which a platform begins.
DISTRICTS, TOWNS = 38, 786


def objects(text: str) -> tuple[list[Any], str]:
    """The JSON objects that a text begins with, and the rest of it."""
    found = []
    while text.startswith("{"):
        each, end = json.JSONDecoder().raw_decode(text)
        found.append(each)
        text = text[end:]
    return found, text


async def test_what_the_city_sees(city: Platform) -> None:
    await known(city, DISTRICT)
    command = here(city, blocks("docs/municipal.md", "sh", "test_municipal"))

    async def answers() -> tuple[list[Any], str] | None:
        found, rest = objects(await run(city, "bash", "-euo", "pipefail", "-c", command))
        # The districts that the platform begins with are told of within seconds of its start.
        return (found, rest) if len(found[1].get("districts", [])) >= DISTRICTS else None

    answered = await until(answers)
    assert answered
    (past, overview, own, *others), files = answered
    assert past["month"] == {"year": 2023, "month": 12, "day": 1}
    measures = {each["indicator"]: each for each in overview["measures"]}
    assert int(measures["INDICATOR_VOTING_TOWNS"]["whole"]["least"]) >= TOWNS
    assert own["column"]["district"] == f"districts/{DISTRICT}"
    assert len(others) == 7
    # A line of titles; and the mark that a Parquet file ends with.
    assert files.split() == [str(len(overview["districts"]) + 1), "PAR1"]
