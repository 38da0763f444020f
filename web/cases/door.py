"""The door of every page that shows a case: who may see it, and on the telephone also: who is calling."""

from core.errors import Refused
from reception import access
from reception.hotline import checks
from reception.petitions import custody
from reception.petitions.models import Petition
from web.http import Context


def case_of(ctx: Context, petition_id: str) -> Petition:
    """Raises NotFound to outsiders, and Refused to an agent of the hotline whose caller has not been checked."""
    petition = access.petition_for(ctx.session, ctx.staff, petition_id)
    if not may_open(ctx, petition):
        raise Refused("Check first who is calling: open the case at the hotline.")
    return petition


def may_open(ctx: Context, petition: Petition) -> bool:
    """On the telephone nobody sees who is there: a case opens while the check of its visitor holds."""
    if not access.by_phone_only(ctx.session, ctx.staff, petition):
        return True
    at = checks.checked_at(ctx.session, petition.visitor_id, staff_id=ctx.staff.id, now=ctx.now)
    return at is not None


def require(ctx: Context, petition_id: str, verb: str, *, beside: Petition | None = None) -> Petition:
    """The petition, if this person may do `verb` to it now. Raises as `case_of` and `access.require` do.

    It is held before it is asked whether they may: whoever waits here for a rival finds what the rival has left.
    `beside`: another case that the verb concerns, held too.
    """
    seen = case_of(ctx, petition_id)
    for id_ in sorted({seen.id, beside.id if beside is not None else seen.id}):  # two are taken in one order by all
        custody.locked(ctx.session, id_)
    return access.require(ctx.session, ctx.staff, seen.id, verb)
