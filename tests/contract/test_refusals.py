"""Every reason of every service's errors.proto is reached, with the code that it declares."""

import grpc
import pytest

from chassis.errors import PREFIX, STATUS_CODES, Catalogue
from services.__main__ import TARGETS
from tests.contract.office import Office
from tests.contract.refusals import Scenario, scenarios
from tests.harness import reason

CATALOGUES = {name: Catalogue(manifest.reasons) for name, manifest in TARGETS.items()}
SCENARIOS = scenarios()


def test_every_service_has_scenarios() -> None:
    assert set(SCENARIOS) == set(TARGETS)


@pytest.mark.parametrize("service", TARGETS)
def test_every_reason_has_a_scenario(service: str) -> None:
    reasons = {value.name.removeprefix(PREFIX) for value in TARGETS[service].reasons.values if value.number}
    assert set(SCENARIOS[service]) == reasons


@pytest.mark.parametrize(
    ("service", "expected", "scenario"),
    [
        pytest.param(service, expected, one, id=f"{service}-{expected}-{one.__name__}")
        for service, reasons in SCENARIOS.items()
        for expected, ones in reasons.items()
        for one in ones
    ],
)
async def test_refused(office: Office, service: str, expected: str, scenario: Scenario) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await scenario(office)
    meaning = CATALOGUES[service][expected]
    assert (reason(refusal.value), refusal.value.code()) == (meaning.name, STATUS_CODES[meaning.code])
