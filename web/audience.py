"""Who a route is for. Every route declares one; a test walks the route table and fails for any that does not."""

from dataclasses import dataclass

from core.staff.models import Staff
from core.staff.rules import ROLES


@dataclass(frozen=True, slots=True)
class Audience:
    """`roles` None: anybody. Empty: any signed-in member of staff. Else one of these roles."""

    name: str
    roles: frozenset[str] | None

    def admits(self, person: Staff | None) -> bool:
        if self.roles is None:
            return True
        return person is not None and (not self.roles or bool(self.roles & person.roles))


everyone = Audience("everyone", None)
signed_in = Audience("signed in", frozenset())


def staff(*roles: str) -> Audience:
    """Members of staff with one of `roles`."""
    if unknown := set(roles) - set(ROLES):
        raise ValueError(f"no such role: {unknown}")
    return Audience("staff: " + ", ".join(sorted(roles)), frozenset(roles))
