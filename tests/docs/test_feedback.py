"""Runs the program that `docs/feedback.md` tells with what becomes of an opinion and of a proposal."""

import sys

from tests.docs.running import blocks, here, known, run
from tests.harness import Platform

DISTRICT = "500112"


async def test_what_residents_say(city: Platform) -> None:
    await known(city, DISTRICT)
    command = here(city, blocks("docs/feedback.md", "sh", "test_feedback"))
    token = await run(city, "bash", "-euo", "pipefail", "-c", f'{command}\nprintf %s "$TOKEN"')
    program = here(city, blocks("docs/feedback.md", "python", "test_feedback"))
    said = (await run(city, sys.executable, "-W", "error", "-u", "-c", program, TOKEN=token)).splitlines()
    opinion, proposal = said[:10], said[10:]
    assert opinion == [
        "OPINION_STATE_RECEIVED",
        "['区城市管理局', '区公安分局']",
        "FAILED_PRECONDITION",
        "2 OPINION_STATE_ROUTED",
        "NOMINATION_STATE_WAITING",
        "1 OPINION_STATE_IN_PROGRESS",
        "OPINION_STATE_REOPENED",
        "OPINION_STATE_CLOSED ['JUDGEMENT_DISSATISFIED', 'JUDGEMENT_SATISFIED']",
        "['receive', 'acknowledge', 'route', 'start', 'pause', 'resume', 'answer', 'reject', 'answer', 'accept']",
        "李某",
    ]
    assert proposal == [
        "PROPOSAL_STATE_REOPENED 1",
        "PROPOSAL_STATE_CLOSED [2, 2]",
        "on_time 1/1",
        "satisfaction 3/4",
        "class_a 1/1",
        "dissatisfied_again 0/1",
    ]
