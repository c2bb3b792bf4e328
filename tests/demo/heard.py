"""What Baitao's year of opinions and proposals comes to, counted from what the services gave back. Calls nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quanyutong.feedback.v1 import intakes_pb2, proposals_pb2
from quanyutong.feedback.v1 import opinions_pb2 as pb
from tests.demo.year import Year

ANSWERED = (pb.JUDGEMENT_SATISFIED, pb.JUDGEMENT_BASICALLY_SATISFIED)


@dataclass(frozen=True)
class Heard:
    """What the feedback service holds of the year, page by page, and what the registry counted of it."""

    opinions: Sequence[pb.Opinion]
    receptions: Sequence[intakes_pb2.Reception]
    proposals: Sequence[proposals_pb2.DelegateProposal]
    counted: Year
    evaluations: Sequence[proposals_pb2.UndertakerEvaluation] = ()
    followed: intakes_pb2.OpinionStatus | None = None

    @property
    def done(self) -> int:
        """Closed, with a last answer that its asker was satisfied with."""
        closed = [each for each in self.opinions if each.state == pb.OPINION_STATE_CLOSED and each.answers]
        return sum(each.answers[-1].judgement in ANSWERED for each in closed)

    @property
    def in_progress(self) -> int:
        return sum(each.state == pb.OPINION_STATE_IN_PROGRESS for each in self.opinions)

    @property
    def deferred(self) -> int:
        """Put off with a reason and a day."""
        put_off = [each for each in self.opinions if each.state == pb.OPINION_STATE_DEFERRED]
        return sum(bool(each.reason) and each.HasField("due_date") for each in put_off)

    @property
    def people_received(self) -> int:
        return sum(each.people_received for each in self.receptions)

    @property
    def receiving(self) -> int:
        """Receptions, by each delegate who received."""
        return sum(len(each.mandates) for each in self.receptions)

    @property
    def raised(self) -> int:
        """Opinions that a delegate raised."""
        return sum(bool(each.mandate) for each in self.opinions)

    @property
    def signatures(self) -> int:
        return sum(len(each.mandates) for each in self.proposals)

    @property
    def told(self) -> bool:
        """Whether the registry has heard of every act: events take a moment."""
        year = self.counted
        return (year.receiving, year.opinions_raised, year.proposals_signed) == (
            self.receiving,
            self.raised,
            self.signatures,
        )


def evaluated(evaluations: Sequence[proposals_pb2.UndertakerEvaluation]) -> Iterator[str]:
    """Each office that led in proposals, in numbers with their parts."""
    for each in sorted(evaluations, key=lambda one: -one.assigned):
        yield (
            f"{each.undertaker}: {each.assigned} proposals, answered in time {_share(each.on_time)}, "
            f"judged satisfactory {_share(each.satisfaction)}, class A {_share(each.class_a)}, "
            f"dissatisfied again {_share(each.dissatisfied_again)}"
        )


def seen_by_the_asker(status: intakes_pb2.OpinionStatus | None) -> str:
    if status is None:
        return "the receipt is gone, and nobody can ask for another"
    state = pb.OpinionState.Name(status.state).removeprefix("OPINION_STATE_").lower()
    undertakers = "、".join(each.display_name for each in status.undertakers)
    answers = "; ".join(each.content for each in status.answers)
    return f"{state}, with {undertakers}: {answers}"


def _share(share: proposals_pb2.Share) -> str:
    return f"{share.part}/{share.whole}"
