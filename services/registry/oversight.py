"""Oversight groups (监督小组) of a subdistrict assembly, their members and leaders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import and_, bindparam, insert, select

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.rules import WholeNumberRule
from chassis.sql import Sql
from chassis.wire import date_message, identifier, number, read_date, timestamp, word
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import oversight_pb2 as pb
from services.registry import domain, duties, posts
from services.registry.assemblies import assembly_name, load_term, term_of
from services.registry.rules import rule_on
from services.registry.tables import oversight_group, oversight_leader, oversight_member

Context = grpc.aio.ServicerContext[Any, Any]
READ = Sql(select(oversight_group).where(oversight_group.c.id == bindparam("key")))
OF_TERM = Sql(
    select(oversight_group.c.topic).where(
        oversight_group.c.assembly == bindparam("assembly"), oversight_group.c.term == bindparam("term")
    )
)
MEMBERSHIPS = select(oversight_member).where(
    oversight_member.c.oversight_group == bindparam("key"), oversight_member.c.mandate == bindparam("delegate")
)
LAST_LEADER = Sql(
    select(oversight_leader)
    .where(oversight_leader.c.oversight_group == bindparam("key"))
    .order_by(oversight_leader.c.start_date.desc(), oversight_leader.c.id.desc())
    .limit(1)
    .with_for_update()
)
GROUPS = "subdistrict_assembly.oversight_groups"


class Oversight:
    _database: Database

    async def FormOversightGroup(self, request: pb.FormOversightGroupRequest, _: Context) -> pb.OversightGroup:
        start, topic = read_date(request, "start_date") or clock.today(), word(pb.OversightTopic, request.topic)
        async with self._database.write() as tx:
            # The term's row is the lock under which its groups are counted.
            term = await load_term(tx, request.parent, lock=True)
            posts.check_subdistrict_assembly(assembly_name(term.assembly), term.kind)
            posts.check_period(start, None, term.start_date, term.end_date)
            values = {
                "assembly": term.assembly,
                "term": term.number,
                "topic": topic,
                "start_date": start,
                "rule_version": await _check_room(tx, term, topic, start),
            }
            row = await tx.one(insert(oversight_group).values(values).returning(oversight_group))
            publish_formed(tx, row)
            return tx.reply(_message(row, ()))

    async def GetOversightGroup(self, request: pb.GetOversightGroupRequest, _: Context) -> pb.OversightGroup:
        day = read_date(request, "as_of") or clock.today()
        async with self._database.read() as tx:
            return await _shown(tx, await _load(tx, request.name), day)

    async def ListOversightGroups(
        self, request: pb.ListOversightGroupsRequest, _: Context
    ) -> pb.ListOversightGroupsResponse:
        day = read_date(request, "as_of") or clock.today()
        statement = select(oversight_group)
        if request.term:
            assembly, term = request.term.split("/terms/")
            of_term = (oversight_group.c.assembly == identifier(assembly), oversight_group.c.term == int(term))
            statement = statement.where(*of_term)
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (oversight_group.c.id, identifier))
            members = await _members(tx, [row.id for row in rows], day)
        groups = [_message(row, members[row.id]) for row in rows]
        return pb.ListOversightGroupsResponse(oversight_groups=groups, next_page_token=token)

    async def AddOversightMember(self, request: pb.AddOversightMemberRequest, _: Context) -> pb.OversightGroup:
        day = read_date(request, "start_date") or clock.today()
        async with self._database.write() as tx:
            group = await _load(tx, request.name)
            delegate = await duties.load_delegate(tx, request.mandate, term_of(group))
            posts.check_period(day, None, max(group.start_date, delegate.active_from), delegate.term_end)
            await duties.begin(tx, oversight_member, delegate, day, oversight_group=group.id)
            return tx.reply(await _shown(tx, group, clock.today()))

    async def RemoveOversightMember(self, request: pb.RemoveOversightMemberRequest, _: Context) -> pb.OversightGroup:
        day = read_date(request, "end_date") or clock.today()
        async with self._database.write() as tx:
            group = await _load(tx, request.name)
            member = await _membership(tx, group, request.mandate, day)
            posts.check_end(day, member.start_date, member.end_date)
            leads = and_(oversight_leader.c.oversight_group == group.id, oversight_leader.c.mandate == member.mandate)
            await duties.end(tx, oversight_leader, leads, day)
            await duties.end(tx, oversight_member, oversight_member.c.id == member.id, day)
            return tx.reply(await _shown(tx, group, clock.today()))

    async def SetOversightLeader(self, request: pb.SetOversightLeaderRequest, _: Context) -> pb.OversightGroup:
        day = read_date(request, "start_date") or clock.today()
        async with self._database.write() as tx:
            group = await _load(tx, request.name)
            delegate = await duties.load_delegate(tx, request.mandate, term_of(group))
            member = await _membership(tx, group, request.mandate, day)
            posts.check_period(day, None, member.start_date, member.end_date)
            await _end_last_leader(tx, group, member, day)
            await duties.begin(tx, oversight_leader, delegate, day, member.end_date, oversight_group=group.id)
            return tx.reply(await _shown(tx, group, clock.today()))


async def _check_room(tx: ReadTx, term: Row, topic: str, day: date) -> str:
    """The version of the rule that says how many groups a term has. Raises Refused."""
    rule = await rule_on(tx, day, GROUPS, WholeNumberRule)
    formed = {row.topic for row in await tx.all(OF_TERM, assembly=term.assembly, term=term.number)}
    posts.check_group(topic, formed, domain.Bound(rule.value, rule.version))
    return rule.version


async def _end_last_leader(tx: WriteTx, group: Row, member: Row, day: date) -> None:
    """Raises Refused when the leader before began later than that day, or is the same delegate."""
    last = await tx.first(LAST_LEADER, key=group.id)
    if last is None:
        return
    posts.check_day(day, last.start_date, date.max)
    if last.mandate != member.mandate:
        await duties.end(tx, oversight_leader, oversight_leader.c.id == last.id, day)


async def _load(tx: ReadTx, name: str) -> Row:
    row = await tx.first(READ, key=identifier(name))
    if row is None:
        raise domain.Refused("DUTY_NOT_FOUND", duty=name)
    return row


async def _membership(tx: WriteTx, group: Row, delegate: str, day: date) -> Row:
    """The membership that lasts beyond the day, locked. Raises Refused DUTY_NOT_FOUND."""
    lasting = MEMBERSHIPS.where(duties.lasts_beyond(oversight_member, day)).with_for_update()
    row = await tx.first(lasting.order_by(oversight_member.c.start_date), key=group.id, delegate=identifier(delegate))
    if row is None:
        raise domain.Refused("DUTY_NOT_FOUND", duty=_name(group.id))
    return row


async def _members(tx: ReadTx, groups: Collection[UUID], day: date) -> Mapping[UUID, Sequence[Row]]:
    """Who is in each of the groups on a day, and as `leads` whether they lead it."""
    leader = oversight_leader.c.mandate == oversight_member.c.mandate
    same = and_(leader, oversight_leader.c.oversight_group == oversight_member.c.oversight_group)
    leads = select(oversight_leader.c.id).where(same, duties.holds_on(oversight_leader, day)).exists()
    there = and_(oversight_member.c.oversight_group.in_(groups), duties.holds_on(oversight_member, day))
    statement = select(oversight_member, leads.label("leads")).where(there).order_by(oversight_member.c.id)
    return await tx.grouped(statement, "oversight_group")


async def _shown(tx: ReadTx, group: Row, day: date) -> pb.OversightGroup:
    return _message(group, (await _members(tx, [group.id], day))[group.id])


def _name(key: object) -> str:
    return f"oversightGroups/{key}"


def publish_formed(tx: WriteTx, row: Row) -> None:
    formed = events_pb2.OversightGroupFormed(
        group=_name(row.id),
        term=term_of(row),
        topic=number(pb.OversightTopic, row.topic),
        start_date=date_message(row.start_date),
    )
    tx.publish(formed, formed.group)


def _member(row: Row) -> pb.OversightMember:
    return pb.OversightMember(
        mandate=f"mandates/{row.mandate}",
        start_date=date_message(row.start_date),
        end_date=date_message(row.end_date),
        leader=row.leads,
    )


def _message(row: Row, members: Sequence[Row]) -> pb.OversightGroup:
    return pb.OversightGroup(
        name=_name(row.id),
        term=term_of(row),
        topic=number(pb.OversightTopic, row.topic),
        start_date=date_message(row.start_date),
        rule_version=row.rule_version,
        members=map(_member, members),
        create_time=timestamp(row.created_at),
    )
