"""The secret papers of satisfaction evaluations: how many say what is made up, the same in every run."""

from random import Random

from quanyutong.meetings.v1.agenda_pb2 import EVALUATION_METHOD_SCORE, Evaluation
from tests.demo.agendas import Item

LOWEST, HIGHEST = 78, 100
# Of so many papers one says basically satisfied.
BASICALLY = 6


def evaluation(item: Item, members: int, papers: int) -> Evaluation | None:
    """What was counted, with one paper from each who was present; nothing where the item is not evaluated."""
    if not item.method:
        return None
    if item.method == EVALUATION_METHOD_SCORE:
        random = Random(item.title)
        return Evaluation(method=item.method, scores=[random.randint(LOWEST, HIGHEST) for _ in range(papers)])
    basically = papers // BASICALLY
    return Evaluation(method=item.method, members=members, satisfied=papers - basically, basically_satisfied=basically)
