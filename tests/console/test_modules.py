"""What the browser computes is what the client computes, on random terms and marks."""

import json
import random

import pytest
from playwright.async_api import Browser

from quanyutong_client.derivation import derive
from quanyutong_client.reading import base64
from quanyutong_client.tally import tally
from tests.client.hall import grades, motion, scores, select, terms_of
from tests.conftest import Platforms

DERIVED = """async ([json, secret]) => {
    const bytes = await import("/console/static/bytes.js");
    const { Terms, prepared } = await import("/console/static/poll-terms.js");
    const { blind } = await import("/console/static/blindrsa.js");
    const { derive } = await import("/console/static/voter.js");
    const terms = await Terms.read(JSON.parse(json));
    const made = await derive(bytes.fromBase64(secret, "secret"), terms);
    const blinded = await blind(terms.paperKey, prepared(terms, made.publicKey, made.prefix), made.salt, made.factor);
    return [terms.digest, made.publicKey, made.prefix, blinded.message].map(bytes.hex);
}"""
COUNTED = """async ([json, present, papers, ballots]) => {
    const { tally } = await import("/console/static/tally.js");
    const marks = ballots.map((ballot) => ballot.map((question) => Uint8Array.from(question)));
    return tally(JSON.parse(json), present, papers, marks);
}"""


@pytest.mark.parametrize("seed", range(4))
async def test_the_browser_derives_what_the_client_does(chromium: Browser, platforms: Platforms, seed: int) -> None:
    secret = random.Random(seed).randbytes(32)
    terms = terms_of(select(), grades(), electorate=seed + 1)
    own = derive(secret, terms)
    expected = [terms.digest, own.public_key, own.prefix, own.blinded(terms).message]
    context = await chromium.new_context(base_url=(await platforms.get("all")).gateway)
    page = await context.new_page()
    await page.goto("/console/login")
    found = await page.evaluate(DERIVED, [json.dumps(terms.json()), base64(secret)])
    await context.close()
    assert found == [each.hex() for each in expected]


async def test_the_browser_counts_as_the_client_does(chromium: Browser, platforms: Platforms) -> None:
    context = await chromium.new_context(base_url=(await platforms.get("all")).gateway)
    page = await context.new_page()
    await page.goto("/console/login")
    for seed in range(60):
        dice = random.Random(seed)
        tie = dice.choice(["include_all", "run_off", "presidium"])
        trimmed = {"score_average": "trimmed_mean", "scores_trimmed": 1} if dice.random() < 0.5 else {}
        terms = terms_of(
            select(4, 2, tie_at_last_place=tie, majority_base=dice.choice(["none", "all_members", "present", "valid"])),
            scores(2, **trimmed),
            grades(2, grade_base=dice.choice(["all_members", "present", "valid"])),
            motion(2, majority_base=dice.choice(["none", "present", "valid"])),
            electorate=12,
        )
        ballots = [
            [
                bytes(dice.randint(0, question.rule.highest_mark) for _ in question.options)
                for question in terms.questions
            ]
            for _ in range(dice.randint(0, 12))
        ]
        present, papers = dice.randint(0, 12), dice.randint(0, 12)
        expected = tally(terms, present, papers, ballots).json()
        given = [json.dumps(terms.json()), present, papers, [[list(marks) for marks in each] for each in ballots]]
        assert await page.evaluate(COUNTED, given) == expected, seed
    await context.close()
