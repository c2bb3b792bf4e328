"""Runs what `docs/municipal.md` tells a municipal platform to ask."""

import json

from tests.docs.running import blocks, here, known, run
from tests.harness import Platform, until

DISTRICT = "500113"


async def test_what_the_city_sees(city: Platform) -> None:
    await known(city, DISTRICT)
    command = here(city, blocks("docs/municipal.md", "sh", "test_municipal"))

    async def answers() -> list[str]:
        said = await run(city, "bash", "-euo", "pipefail", "-c", command.replace('"; }', '"; echo; }'))
        found = [line for line in said.splitlines() if line.strip()]
        # The units of all districts are told within seconds of the platform's start.
        return found if '"FIGURE_KIND_UNITS"' in said else []

    *asked, lines, parquet = await until(answers)
    past, overview, own, *others = (json.loads(line) for line in asked)
    assert past["month"] == {"year": 2023, "month": 12, "day": 1}
    assert len(overview["districts"]) >= 38
    measures = {each["indicator"]: each for each in overview["measures"]}
    assert int(measures["INDICATOR_VOTING_TOWNS"]["whole"]["least"]) >= 786
    assert own["column"]["district"] == f"districts/{DISTRICT}"
    assert len(others) == 7
    # A line of titles; and the mark that a Parquet file ends with.
    assert (int(lines), parquet) == (len(overview["districts"]) + 1, "PAR1")
