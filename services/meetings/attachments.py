"""Attachments (附件) of agenda items: what they are and where, never what is in them."""

from typing import Any

import grpc
from sqlalchemy import bindparam, delete, insert, select

from chassis import auth
from chassis.database import Database, Row
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import identifier, timestamp
from quanyutong.meetings.v1 import attachments_pb2 as pb
from services.meetings.agenda import check_state, item_name, load_item, lock_item
from services.meetings.attendance import OPEN
from services.meetings.links import check_link
from services.meetings.sitting import load_entry
from services.meetings.tables import attachment

Context = grpc.aio.ServicerContext[Any, Any]
GIVEN = ("title", "media_type", "size_bytes", "sha256", "link")
READ = Sql(select(attachment).where(attachment.c.id == bindparam("key")))
ENTER = Sql(insert(attachment).returning(attachment), columns=("item", "attached_by", *GIVEN))
REMOVE = Sql(delete(attachment).where(attachment.c.id == bindparam("key")))


class Attachments:
    _database: Database

    async def AttachDocument(self, request: pb.AttachDocumentRequest, _: Context) -> pb.Attachment:
        given = request.attachment
        check_link(given.link)
        async with self._database.write() as tx:
            item = await lock_item(tx, request.parent, "", OPEN)
            check_state(item, "planned", "open", "concluded")
            values = {field: getattr(given, field) for field in GIVEN}
            row = await tx.one(ENTER, item=item.id, attached_by=auth.caller.get().subject, **values)
            return tx.reply(_message(row))

    async def ListAttachments(self, request: pb.ListAttachmentsRequest, _: Context) -> pb.ListAttachmentsResponse:
        async with self._database.read() as tx:
            item = await load_item(tx, request.parent)
            statement = select(attachment).where(attachment.c.item == item.id)
            rows, token = await page(tx, request, statement, (attachment.c.id, identifier))
        return pb.ListAttachmentsResponse(attachments=map(_message, rows), next_page_token=token)

    async def DetachDocument(self, request: pb.DetachDocumentRequest, _: Context) -> pb.DetachDocumentResponse:
        async with self._database.write() as tx:
            await lock_item(tx, item_name((await load_entry(tx, READ, request.name)).item), "", OPEN)
            row = await load_entry(tx, READ, request.name)
            await tx.execute(REMOVE, key=row.id)
            return tx.reply(pb.DetachDocumentResponse())


def _message(row: Row) -> pb.Attachment:
    return pb.Attachment(
        name=f"attachments/{row.id}",
        agenda_item=item_name(row.item),
        title=row.title,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        link=row.link,
        attached_by=row.attached_by,
        create_time=timestamp(row.created_at),
    )
