"""A calendar file as an answer, and the words in it."""

from starlette.responses import Response

from core.language import N_
from reception.appointed import calendars
from web.http import Context

TYPE = "text/calendar; charset=utf-8"


def words_of(ctx: Context) -> dict[str, str]:
    """The phrases of a calendar file in the reader's language."""
    phrases = [*calendars.SUMMARIES.values(), *calendars.FEED_SUMMARIES.values(), calendars.FEED_NAME, N_("Code")]
    return {phrase: ctx._(phrase) for phrase in phrases}


def calendar_response(text: str) -> Response:
    headers = {"content-disposition": 'inline; filename="majlis.ics"', "cache-control": "no-store"}
    return Response(text.encode(), media_type=TYPE, headers=headers)
