"""The audit (审计) of a district: who changed what, and whether the records are as they were sealed."""

import json
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from sqlalchemy import Select, select

from chassis import clock
from chassis.audit import RECORDS, first_id
from chassis.database import Database, Row
from chassis.pagination import page
from chassis.vault import Vault
from chassis.verifying import Fault, Verifier
from chassis.wire import identifier, number, read_date, timestamp
from quanyutong.common.v1 import audit_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]


class Audits:
    _database: Database
    _vault: Vault

    async def ListAudit(self, request: pb.ListAuditRequest, _: Context) -> pb.ListAuditResponse:
        statement = _filtered(request)
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (RECORDS.c.id, identifier))
        return pb.ListAuditResponse(audit_records=map(_message, rows), next_page_token=token)

    async def VerifyAudit(self, request: pb.VerifyAuditRequest, _: Context) -> pb.VerifyAuditResponse:
        verifier = Verifier(self._vault, self._database.schema)
        async with self._database.read() as tx:
            step = await verifier.step(tx, request.after)
        return pb.VerifyAuditResponse(
            district=f"districts/{tx.district}",
            seals=map(_seal_message, step.seals),
            fault=_fault_message(step.fault) if step.fault else None,
            more=step.more,
            unsealed=step.unsealed,
        )


def _filtered(request: pb.ListAuditRequest) -> Select[Any]:
    statement = select(RECORDS)
    if request.resource:
        statement = statement.where(RECORDS.c.resource == request.resource)
    if request.subject:
        statement = statement.where(RECORDS.c.subject == request.subject)
    if day := read_date(request, "from_date"):
        statement = statement.where(RECORDS.c.id >= first_id(clock.beginning(day)))
    if day := read_date(request, "to_date"):
        statement = statement.where(RECORDS.c.id < first_id(clock.beginning(day)))
    return statement


def _name(record: object) -> str:
    return f"auditRecords/{record}"


def _message(row: Row) -> pb.AuditRecord:
    return pb.AuditRecord(
        name=_name(row.id),
        create_time=timestamp(row.at),
        subject=row.subject,
        roles=row.roles,
        rpc=row.rpc,
        request_id=row.request_id,
        action=row.action,
        resource=row.resource,
        key=_struct(row.key),
        before=_struct(row.before),
        after=_struct(row.after),
    )


def _struct(text: str | None) -> struct_pb2.Struct | None:
    return None if text is None else json_format.ParseDict(json.loads(text), struct_pb2.Struct())


def _seal_message(row: Row) -> pb.AuditSeal:
    return pb.AuditSeal(
        number=row.number,
        hash=row.hash,
        records=row.records,
        first_record=_name(row.first_id),
        last_record=_name(row.last_id),
        create_time=timestamp(row.sealed_at),
    )


def _fault_message(fault: Fault) -> pb.AuditFault:
    record = _name(fault.record) if fault.record else ""
    return pb.AuditFault(seal=fault.seal, kind=number(pb.AuditFaultKind, fault.kind), record=record)
