"""The door of every page that shows a case: who may see it, and on the telephone also: who is calling."""

from core.errors import Refused
from reception import access
from reception.hotline import checks
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


def require(ctx: Context, petition_id: str, verb: str) -> Petition:
    """The petition, if this person may do `verb` to it now. Raises as `case_of` and `access.require` do."""
    return access.require(ctx.session, ctx.staff, case_of(ctx, petition_id).id, verb)
