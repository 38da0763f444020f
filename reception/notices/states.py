"""The life of a notice. From when until when it is shown is a matter of time, not of state."""

from core.states import Machine

PUBLISHED = "published"
WITHDRAWN = "withdrawn"

NOTICE = Machine("notice", PUBLISHED, [(PUBLISHED, "change", PUBLISHED), (PUBLISHED, "withdraw", WITHDRAWN)])
