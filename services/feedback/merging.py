"""Merging (合并办理): opinions about one matter are handled as one, and each asker keeps the own receipt and say.

Which opinions are like each other is a suggestion; a person decides, and can undo it.
"""

from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, or_, select, text

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import Refusal
from chassis.pagination import slice_page
from chassis.rulebooks import rulebook
from chassis.rules import ShareRule
from chassis.sql import Sql
from chassis.wire import check_etag, identifier
from quanyutong.feedback.v1 import merging_pb2 as pb
from quanyutong.feedback.v1 import opinions_pb2
from services.feedback import handling_path as path
from services.feedback.domain import Refused
from services.feedback.handling_steps import load_opinion, opinion_name, take, tell
from services.feedback.likeness import letters_of, score
from services.feedback.opinion_message import opinion_message, opinion_messages
from services.feedback.tables import opinion

Context = grpc.aio.ServicerContext[Any, Any]
Opinion = opinions_pb2.Opinion
MOST_ALIKE = 200
ENTER_LETTERS = Sql(
    text("INSERT INTO opinion_letter (letter, opinion) SELECT unnest(:letters), :key").bindparams(
        bindparam("letters", type_=ARRAY(Text))
    )
)
ALIKE = Sql(
    text("""SELECT o.*, s.shared
            FROM (SELECT opinion, count(*) AS shared FROM opinion_letter
                  WHERE letter = ANY (:letters) GROUP BY opinion) AS s
            JOIN opinion o ON o.id = s.opinion
            WHERE o.id <> :key AND o.state = ANY (:states)
            AND 2 * s.shared >= CAST(:least AS double precision) * (:count + o.letters)
            ORDER BY s.shared / CAST(:count + o.letters AS double precision) DESC, o.id LIMIT :most""").bindparams(
        bindparam("letters", type_=ARRAY(Text)), bindparam("states", type_=ARRAY(Text))
    )
)
KEYS = bindparam("keys", type_=ARRAY(Uuid))
# In one order, so that two that merge the same ones wait for each other; those that were merged into them go along.
LOCK = Sql(
    select(opinion)
    .where(or_(opinion.c.id == any_(KEYS), opinion.c.merged_into == any_(KEYS)))
    .order_by(opinion.c.id)
    .with_for_update()
)


class Merging:
    _database: Database

    async def ListLikeOpinions(self, request: pb.ListLikeOpinionsRequest, _: Context) -> pb.ListLikeOpinionsResponse:
        async with self._database.read() as tx:
            row = await load_opinion(tx, request.parent)
            states = path.OPEN | path.ENDS if request.show_ended else path.OPEN
            found = await _alike(tx, row, states)
            chosen, token = slice_page(request, found, lambda each: f"{1 - each[0]:.6f} {each[1].id}")
            shown = await opinion_messages(tx, [each for _, each in chosen])
        like = [pb.LikeOpinion(opinion=each, score=how) for each, (how, _) in zip(shown, chosen, strict=True)]
        return pb.ListLikeOpinionsResponse(like_opinions=like, next_page_token=token)

    async def MergeOpinions(self, request: pb.MergeOpinionsRequest, _: Context) -> Opinion:
        key, others = identifier(request.name), [identifier(name) for name in request.opinions]
        path.check_apart(key, others)
        async with self._database.write() as tx:
            rows = {row.id: row for row in await tx.all(LOCK, keys=[key, *others])}
            for name in (request.name, *request.opinions):
                if identifier(name) not in rows:
                    raise Refused("OPINION_NOT_FOUND", opinion=name)
            check_etag(request.etag, rows[key].revision)
            standing = await take(tx, rows[key], "gather", "、".join(request.opinions))
            for row in rows.values():
                if row.id in others:
                    await take(tx, row, "merge", request.name, merged_into=key, merged_from=row.state)
                elif row.merged_into in others:
                    await tell(tx, await tx.change(opinion, row, merged_into=key), "merge", request.name)
            return tx.reply(await opinion_message(tx, standing))

    async def UnmergeOpinion(self, request: pb.UnmergeOpinionRequest, _: Context) -> Opinion:
        async with self._database.write() as tx:
            into = (await load_opinion(tx, request.name)).merged_into
            if into is None:
                raise Refused("OPINION_NOT_MERGED", opinion=request.name)
            rows = {row.id: row for row in await tx.all(LOCK, keys=[identifier(request.name), into])}
            row = rows[identifier(request.name)]
            check_etag(request.etag, row.revision)
            if row.merged_into != into:
                raise Refusal("ETAG_MISMATCH")
            await tell(tx, await tx.change(opinion, rows[into]), "release", request.name)
            saved = await take(tx, row, "unmerge", opinion_name(into), back=row.merged_from, **NOT_MERGED)
            return tx.reply(await opinion_message(tx, saved))


NOT_MERGED = {"merged_into": None, "merged_from": None}


async def enter_letters(tx: WriteTx, key: UUID, letters: frozenset[str]) -> None:
    await tx.execute(ENTER_LETTERS, key=key, letters=sorted(letters))


async def _alike(tx: ReadTx, row: Row, states: frozenset[str]) -> list[tuple[float, Row]]:
    """Those that are as like it as the rule asks, the most alike first."""
    letters = letters_of(f"{row.content} {row.place}")
    least = (await rulebook(tx, clock.today())).rule("stations_and_voice.opinion_likeness", ShareRule).value.fraction
    found = await tx.all(
        ALIKE,
        key=row.id,
        letters=sorted(letters),
        count=len(letters),
        states=sorted(states),
        least=float(least),
        most=MOST_ALIKE,
    )
    scored = [(score(each.shared, len(letters), each.letters), each) for each in found]
    return sorted(scored, key=lambda each: (-each[0], each[1].id))
