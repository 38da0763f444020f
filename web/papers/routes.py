"""One page of one paper, drawn here: no reader's browser ever runs a visitor's PDF."""

from starlette.responses import Response

from core.errors import NotFound
from reception import access
from reception.files import service as files
from web.cases import door, papers
from web.cases.routes import READERS
from web.http import Context, Pages

pages = Pages()


@pages.get("/cases/{id}/files/{file_id}/pages/{page}", audience=READERS)
def page(ctx: Context) -> Response:
    petition = door.case_of(ctx, ctx.path("id"))
    if not access.may_read_text(ctx.staff, petition):
        raise NotFound("There is no such paper.")
    paper = files.get(ctx.session, ctx.path("file_id"), petition_id=petition.id)
    number = ctx.path("page")
    return papers.picture(ctx, paper, int(number) if number.isdecimal() else 0)
