"""Reading forms: each reader returns a clean value or notes an error beside its field; what was typed is kept."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile

from core.calendar import digits
from core.errors import Mistake
from core.text import clean, latin_digits

if TYPE_CHECKING:
    from web.http import Context


class Form:
    """`values` holds what was typed (for showing again), `errors` the translated message of each wrong field."""

    def __init__(self, ctx: "Context", **initial: object) -> None:
        self._ctx = ctx
        self.values: dict[str, str] = {k: str(v) for k, v in initial.items() if v is not None}
        self.values |= {
            k: v for k, v in ctx.form.items() if isinstance(v, str) and k not in ("csrf", "once", "password")
        }
        self.errors: dict[str, str] = {}

    def add(self, field: str, message: str) -> None:
        """Note an error, already translated; the first of a field stays."""
        self.errors.setdefault(field, message)

    def text(self, name: str, *, required: bool = True, max: int = 500, lines: bool = False) -> str:
        value = clean(self._raw(name), lines=lines)
        if not value and required:
            self.add(name, self._ctx._("Please fill this in."))
        if len(value) > max:
            self.add(
                name, self._ctx._("Please shorten this to {max} characters.").format(max=digits(max, self._ctx.lang))
            )
        return value

    def choice(self, name: str, options: Iterable[str], *, required: bool = True, default: str = "") -> str:
        value = self._raw(name) or default
        if value not in set(options):
            if value or required:
                self.add(name, self._ctx._("Please choose one of the options."))
            return default
        return value

    def integer(self, name: str, *, low: int, high: int, default: int | None = None) -> int:
        raw = latin_digits(self._raw(name)).strip()
        if not raw and default is not None:
            return default
        if not re.fullmatch(r"-?\d{1,9}", raw) or not low <= int(raw) <= high:
            message = self._ctx._("Please enter a number from {low} to {high}.")
            self.add(name, message.format(low=digits(low, self._ctx.lang), high=digits(high, self._ctx.lang)))
            return low
        return int(raw)

    def flag(self, name: str) -> bool:
        return self._raw(name) not in ("", "0", "no", "false")

    def many(self, name: str) -> list[str]:
        return [value for value in self._ctx.form.getlist(name) if isinstance(value, str) and value]

    def files(self, name: str) -> list[UploadFile]:
        """Uploads with a name; an untouched file field sends one without."""
        return [f for f in self._ctx.form.getlist(name) if isinstance(f, UploadFile) and f.filename]

    @contextmanager
    def catch(self, field: str | None = None) -> Iterator[None]:
        """A Mistake raised inside becomes the error of its field (or of `field`)."""
        try:
            yield
        except Mistake as mistake:
            self.add(field or mistake.field or "", self._ctx.say(mistake))

    def _raw(self, name: str) -> str:
        value = self._ctx.form.get(name)
        return value if isinstance(value, str) else ""
