"""What a resident's telephone shows for a station's QR code: a form, a receipt, and later what became of it.

There is no login here. The address's secret lets somebody add an opinion and do nothing else; the receipt's code shows
that one opinion.
"""

from starlette.responses import Response

from gateway.console.backend import Refused, enum
from gateway.console.page import Page

PREFIX = "/i/"
CATEGORIES = enum("feedback.v1.OpinionCategory")
JUDGEMENTS = enum("feedback.v1.Judgement")


async def form(page: Page) -> Response:
    """The form of a station's address."""
    return page.show(
        "resident.html",
        getattr(page.request.state, "refused", (200,))[0],
        title=page.say("反映意见", "Say something"),
        categories=CATEGORIES,
        error=getattr(page.request.state, "refused", (200, ""))[1],
        given=getattr(page.request.state, "refused", (200, "", {}))[2],
    )


async def submit(page: Page, given: dict[str, str]) -> Response:
    """Takes what was said, and shows the receipt."""
    category = given.get("category", "")
    answer = await page.ask(
        "feedback.SubmitOpinion",
        district=page.request.path_params["code"],
        secret=page.request.path_params["secret"],
        category=category if category in CATEGORIES.values_by_name else "OPINION_CATEGORY_OTHER",
        content=given.get("content", ""),
        place=given.get("place", ""),
        contact={"display_name": given.get("name", ""), "phone": given.get("phone", "")},
        request_id=given.get("request_id", ""),
    )
    return page.show(
        "receipt.html",
        title=page.say("已收到", "Received"),
        answer=answer,
        district=page.request.path_params["code"],
    )


async def ask(page: Page) -> Response:
    """Asks for the receipt's code."""
    return page.show(
        "status_ask.html",
        title=page.say("查询办理情况", "What became of it"),
        districts=sorted(page.console.directory.entries.values(), key=lambda entry: entry.code),
        given={"district": page.asked("district")},
    )


async def status(page: Page) -> Response:
    """What became of an opinion; the answer can be judged. The code is in no address."""
    given = await page.form()
    receipt = {"district": given.get("district", ""), "code": given.get("code", "")}
    error = ""
    try:
        if given.get("judgement") in JUDGEMENTS.values_by_name:
            shown = await page.ask(
                "feedback.JudgeAnswer",
                **receipt,
                judgement=given["judgement"],
                reason=given.get("reason", ""),
                request_id=given.get("request_id", ""),
            )
        else:
            shown = await page.ask("feedback.GetStatus", **receipt)
    except Refused as refused:
        error = refused.text
        return page.show(
            "status_ask.html",
            refused.status,
            title=page.say("查询办理情况", "What became of it"),
            districts=sorted(page.console.directory.entries.values(), key=lambda entry: entry.code),
            given=given,
            error=error,
        )
    return page.show(
        "status.html",
        title=page.say("办理情况", "What became of it"),
        shown=shown,
        receipt=receipt,
        judgements=JUDGEMENTS,
    )
