"""What the votes on livelihood projects come to, counted from what the services gave back. Calls nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quanyutong.ballots.v1.campaigns_pb2 import (
    PROJECT_LEVEL_DISTRICT,
    PROJECT_LEVEL_TOWN,
    PROJECT_LEVEL_TOWNSHIP,
)
from quanyutong.ballots.v1.polls_pb2 import POLL_METHOD_ELECTRONIC, Poll
from quanyutong.ballots.v1.projects_pb2 import (
    PROJECT_STATE_CANDIDATE,
    PROJECT_STATE_NOT_ADOPTED,
    PROJECT_STATE_WITHDRAWN,
    Project,
)

UNADOPTED = frozenset({PROJECT_STATE_CANDIDATE, PROJECT_STATE_WITHDRAWN, PROJECT_STATE_NOT_ADOPTED})
TOWNS = (PROJECT_LEVEL_TOWN, PROJECT_LEVEL_TOWNSHIP)


@dataclass(frozen=True)
class Voted:
    """By district: its announced polls, and its projects of the year, whatever became of them."""

    found: Mapping[str, tuple[Sequence[Poll], Sequence[Project]]]

    def adopted(self, *levels: int) -> list[Project]:
        """Those which an announced poll adopted."""
        return [project for project in self._adopted() if not levels or project.level in levels]

    @property
    def district_projects(self) -> int:
        return len(self.adopted(PROJECT_LEVEL_DISTRICT))

    @property
    def town_projects(self) -> int:
        return len(self.adopted(*TOWNS))

    @property
    def districts(self) -> int:
        """Congresses of districts that adopted any."""
        return len({project.body for project in self.adopted(PROJECT_LEVEL_DISTRICT)})

    @property
    def towns(self) -> int:
        return len({project.body for project in self.adopted(*TOWNS)})

    @property
    def secret_in_districts(self) -> int:
        """Congresses of districts whose poll was electronic: on it everybody is handed papers that lead to nobody."""
        secret = {
            poll.name for polls, _ in self.found.values() for poll in polls if poll.method == POLL_METHOD_ELECTRONIC
        }
        return len({each.body for each in self.adopted(PROJECT_LEVEL_DISTRICT) if each.poll in secret})

    def in_unit(self, unit: str) -> int:
        return sum(project.unit == f"units/{unit}" for project in self.adopted())

    def _adopted(self) -> Iterator[Project]:
        for polls, projects in self.found.values():
            announced = {poll.name for poll in polls}
            yield from (each for each in projects if each.state not in UNADOPTED and each.poll in announced)
