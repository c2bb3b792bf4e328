"""A vote that was held: 4 of 5 delegates, each with another opinion."""

from pathlib import Path

import pytest
from hypothesis import settings

from quanyutong_client import Voter
from tests.client.hall import Hall, terms_of, voted

# A shared machine is no stop watch: an example may take as long as it takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

CHOICES = [
    {"projects": ["p01", "p02"], "reports": {"r01": 90, "r02": 100}, "motions": {"m01": "for"}},
    {"projects": ["p01"], "offices": {"o01": "satisfied", "o02": "dissatisfied"}, "motions": {"m01": "against"}},
    {"projects": ["p01", "p02", "p03"], "reports": {"r01": 0}},
    {},
]


@pytest.fixture
def hall() -> Hall:
    return Hall(terms_of(electorate=5))


@pytest.fixture
async def voters(hall: Hall, tmp_path: Path) -> list[Voter]:
    return await voted(hall, tmp_path, CHOICES)
