"""Campaigns (征集): drafted, announced, collected, screened, and listed for the vote; voted and done follow from it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, func, insert, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.masks import masked
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.rules import MonthsRule, WholeNumberRule, WindowRule
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, name_in_update, number, read_date, timestamp, word
from quanyutong.ballots.v1 import campaigns_pb2 as pb
from services.ballots import campaign_path as path
from services.ballots.domain import Refused
from services.ballots.project_path import UNDER_WAY
from services.ballots.project_tables import campaign, project
from services.ballots.tables import assembly

Context = grpc.aio.ServicerContext[Any, Any]
CHANGEABLE = ("title", "places", "start_date", "end_date", "channels", "notice")
BY_ID = select(campaign).where(campaign.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
# Many may write what belongs to a campaign at once, while none may change the campaign itself.
SHARE = Sql(BY_ID.with_for_update(read=True))
FIND_ASSEMBLY = Sql(select(assembly).where(assembly.c.id == bindparam("key")))
ENTER = Sql(
    insert(campaign).returning(campaign),
    columns=("assembly", "level", "unit", "year", *CHANGEABLE, "rule_versions"),
)
CANDIDATES = Sql(
    select(project.c.campaign, func.count().label("total"))
    .where(project.c.campaign == any_(bindparam("campaigns", type_=ARRAY(Uuid))), project.c.state != "withdrawn")
    .group_by(project.c.campaign)
)
IN_STATES = Sql(
    select(func.count().label("total")).where(
        project.c.campaign == bindparam("campaign"), project.c.state == any_(bindparam("states", type_=ARRAY(Text)))
    )
)


class Campaigns:
    _database: Database

    async def CreateCampaign(self, request: pb.CreateCampaignRequest, _: Context) -> pb.Campaign:
        given = request.campaign
        values, level = _columns(given, CHANGEABLE), word(pb.ProjectLevel, given.level)
        async with _once_a_year(given), self._database.write() as tx:
            body = await _load_assembly(tx, given.body)
            path.check_level(level, body.kind)
            version = await _check_window(tx, given.year, values["start_date"], values["end_date"])
            owner = {"assembly": body.id, "level": level, "unit": body.unit or "", "year": given.year}
            return tx.reply(await _message(tx, await tx.one(ENTER, **owner, **values, rule_versions=[version])))

    async def GetCampaign(self, request: pb.GetCampaignRequest, _: Context) -> pb.Campaign:
        async with self._database.read() as tx:
            return await _message(tx, await load_campaign(tx, request.name))

    async def ListCampaigns(self, request: pb.ListCampaignsRequest, _: Context) -> pb.ListCampaignsResponse:
        statement = select(campaign)
        if request.body:
            statement = statement.where(campaign.c.assembly == identifier(request.body))
        if request.unit:
            statement = statement.where(campaign.c.unit == request.unit.removeprefix("units/"))
        if request.year:
            statement = statement.where(campaign.c.year == request.year)
        if request.level:
            statement = statement.where(campaign.c.level == word(pb.ProjectLevel, request.level))
        if request.state:
            statement = statement.where(campaign.c.state == word(pb.CampaignState, request.state))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (campaign.c.id, identifier))
            return pb.ListCampaignsResponse(campaigns=await _messages(tx, rows), next_page_token=token)

    async def UpdateCampaign(self, request: pb.UpdateCampaignRequest, _: Context) -> pb.Campaign:
        given = request.campaign
        changes = _columns(given, masked(request.update_mask, CHANGEABLE))
        async with self._database.write() as tx:
            row = await load_campaign(tx, name_in_update(given, "campaign"), LOCK)
            check_etag(given.etag, row.revision)
            path.check_campaign(row.state, ("drafted",))
            start, end = (changes.get(field, row[field]) for field in ("start_date", "end_date"))
            version = await _check_window(tx, row.year, start, end)
            return tx.reply(await _message(tx, await save(tx, row, **changes, rule_versions=[version])))

    async def PublishNotice(self, request: pb.PublishNoticeRequest, _: Context) -> pb.Campaign:
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            state = path.next_campaign_state("publish", row.state)
            return tx.reply(await _message(tx, await save(tx, row, state=state, notice_at=datetime.now(UTC))))

    async def CloseCollection(self, request: pb.CloseCollectionRequest, _: Context) -> pb.Campaign:
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            state = path.next_campaign_state("close_collection", row.state)
            path.check_window_over(row.end_date, clock.today())
            return tx.reply(await _message(tx, await save(tx, row, state=state)))

    async def FixCandidates(self, request: pb.FixCandidatesRequest, _: Context) -> pb.Campaign:
        today = clock.today()
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            state = path.next_campaign_state("fix", row.state)
            book = await rulebook(tx, today)
            surplus = book.rule("livelihood_projects.surplus_min", WholeNumberRule)
            screening = book.rule("livelihood_projects.screening", WindowRule)
            path.check_candidates(await count(tx, row, {"candidate"}), row.places, surplus.value, surplus.version)
            late = today > screening.value.days(row.year - 1)[1]
            versions = [*row.rule_versions, surplus.version, screening.version]
            saved = await save(tx, row, state=state, list_date=today, listed_late=late, rule_versions=versions)
            return tx.reply(await _message(tx, saved))

    async def CloseCampaign(self, request: pb.CloseCampaignRequest, _: Context) -> pb.Campaign:
        async with self._database.write() as tx:
            row = await _load_for(tx, request)
            state = path.next_campaign_state("close", row.state)
            path.check_nothing_under_way(await count(tx, row, UNDER_WAY))
            return tx.reply(await _message(tx, await save(tx, row, state=state)))


async def load_campaign(tx: ReadTx, name: str, how: Sql = READ) -> Row:
    """Raises Refused CAMPAIGN_NOT_FOUND."""
    row = await tx.first(how, key=identifier(name))
    if row is None:
        raise Refused("CAMPAIGN_NOT_FOUND", campaign=name)
    return row


async def count(tx: ReadTx, row: Row, states: Iterable[str]) -> int:
    """How many projects of a campaign are in one of these states."""
    return int((await tx.one(IN_STATES, campaign=row.id, states=sorted(states))).total)


async def save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    return await tx.change(campaign, row, **changes)


def campaign_name(key: object) -> str:
    return f"campaigns/{key}"


async def _load_for(tx: WriteTx, request: Any) -> Row:
    row = await load_campaign(tx, request.name, LOCK)
    check_etag(request.etag, row.revision)
    return row


async def _load_assembly(tx: ReadTx, name: str) -> Row:
    row = await tx.first(FIND_ASSEMBLY, key=identifier(name))
    if row is None:
        raise Refused("ASSEMBLY_NOT_FOUND", assembly=name)
    return row


async def _check_window(tx: ReadTx, year: int, start: date, end: date) -> str:
    """The version of the rule that the window was judged by."""
    rule = (await rulebook(tx, clock.today())).rule("livelihood_projects.collection_opens", MonthsRule)
    path.check_window(year, start, end, rule.value, rule.version)
    return rule.version


@asynccontextmanager
async def _once_a_year(given: pb.Campaign) -> AsyncIterator[None]:
    """Says why the database did not take a campaign."""
    try:
        yield
    except UniqueViolationError:
        raise Refused("CAMPAIGN_EXISTS", year=given.year) from None


def _columns(given: pb.Campaign, fields: Iterable[str]) -> dict[str, Any]:
    return {field: _value(given, field) for field in fields}


def _value(given: pb.Campaign, field: str) -> Any:
    if field in ("start_date", "end_date"):
        return read_date(given, field, f"campaign.{field}")
    if field == "channels":
        return [word(pb.CollectionChannel, channel) for channel in given.channels]
    return getattr(given, field)


async def _message(tx: ReadTx, row: Row) -> pb.Campaign:
    (message,) = await _messages(tx, [row])
    return message


async def _messages(tx: ReadTx, rows: Sequence[Row]) -> list[pb.Campaign]:
    totals = {each.campaign: each.total for each in await tx.all(CANDIDATES, campaigns=[row.id for row in rows])}
    return [_shown(row, totals.get(row.id, 0)) for row in rows]


def _shown(row: Row, candidates: int) -> pb.Campaign:
    return pb.Campaign(
        name=campaign_name(row.id),
        body=f"assemblies/{row.assembly}",
        level=number(pb.ProjectLevel, row.level),
        year=row.year,
        title=row.title,
        places=row.places,
        start_date=date_message(row.start_date),
        end_date=date_message(row.end_date),
        channels=[number(pb.CollectionChannel, channel) for channel in row.channels],
        notice=row.notice,
        unit=f"units/{row.unit}" if row.unit else "",
        state=number(pb.CampaignState, row.state),
        notice_time=timestamp(row.notice_at) if row.notice_at else None,
        list_date=date_message(row.list_date),
        listed_late=row.listed_late,
        candidates=candidates,
        rule_versions=row.rule_versions,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
