"""From settings to gateways. What is wrong with one is said at the start and shown; the others go on without it."""

import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import Fault
from core.settings import Settings
from core.text import clean
from messaging.providers.base import Gateway

COMMON = frozenset({"name", "kind", "priority", "rate", "window", "timeout", "secret", "addresses", "receipts"})
LEADS_NOWHERE = frozenset({"console", "null"})


@dataclass(frozen=True, slots=True)
class Setup:
    """One entry of MAJLIS_SMS_PROVIDERS, checked. `options` are of its kind."""

    name: str
    kind: str
    priority: int = 1
    rate: float | None = None  # parts a second, of all workers together
    window: int = 10  # parts handed over and not yet answered
    timeout: float = 30.0  # seconds to wait for an answer
    secret: str = ""  # of its callbacks
    addresses: tuple[str, ...] = ()  # from which its callbacks may come, if not from everywhere
    receipts: bool = True  # False: it never says what became of a text, so nobody waits to hear
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def option(self, name: str, default: Any = None) -> Any:
        """Raises Fault where there is neither the option nor a default."""
        value = self.options.get(name, default)
        if value is None:
            raise Fault("The gateway “{name}” needs “{option}”.", name=self.name, option=name)
        return value


@dataclass(frozen=True, slots=True)
class Wrong:
    """An entry that can't be used, and why. Its name is the settings' where they give one."""

    name: str
    kind: str
    why: Fault


def setups(settings: Settings) -> list[Setup]:
    """The gateways that the settings describe well; without any the simple one that `sms_provider` names."""
    return checked(settings)[0]


def checked(settings: Settings) -> tuple[list[Setup], list[Wrong]]:
    """The gateways of the settings, and what in them is none."""
    name = "MAJLIS_SMS_PROVIDERS"
    if not settings.sms_providers:
        simple = settings.sms_provider
        entries: Any = [{"name": simple, "kind": simple, "window": 200}]
    else:
        try:
            entries = told(settings.sms_providers, name)
        except Fault as fault:
            return [], [Wrong(name, "", fault)]
        if not isinstance(entries, list):
            return [], [Wrong(name, "", Fault("{name} is to be a JSON list of objects.", name=name))]
    found: list[Setup] = []
    wrong: list[Wrong] = []
    for number, entry in enumerate(entries, 1):
        try:
            if not isinstance(entry, Mapping):
                raise Fault("{name} is to be a JSON list of objects.", name=name)
            one = _checked(entry)
            if one.name in {other.name for other in found}:
                raise Fault("Two gateways are called “{name}”.", name=one.name)
            found.append(one)
        except Fault as fault:
            wrong.append(Wrong(_called(entry, number, found), _kind(entry), fault))
    return found, wrong


def _called(entry: Any, number: int, found: Sequence[Setup]) -> str:
    """What to call an entry that is wrong: its own name where it is one and no other's."""
    name = clean(str(entry.get("name", "")))[:40] if isinstance(entry, Mapping) else ""
    return name if name and name not in names(found) else f"{name or 'MAJLIS_SMS_PROVIDERS'} #{number}"


def _kind(entry: Any) -> str:
    return clean(str(entry.get("kind", "")))[:40] if isinstance(entry, Mapping) else ""


def told(written: str, name: str) -> Any:
    """What a setting says in JSON. Raises Fault."""
    try:
        return json.loads(written) if written.strip() else {}
    except ValueError as error:
        raise Fault("{name} is no JSON: {why}", name=name, why=str(error)) from None


def gateways(settings: Settings) -> tuple[list[tuple[Setup, Gateway]], list[Wrong]]:
    """Every gateway that can be made of the settings, and what can't."""
    made: list[tuple[Setup, Gateway]] = []
    found, wrong = checked(settings)
    for setup in found:
        try:
            made.append((setup, gateway(setup, settings)))
        except Fault as fault:
            wrong.append(Wrong(setup.name, setup.kind, fault))
    return made, wrong


def gateway(setup: Setup, settings: Settings) -> Gateway:
    """Raises Fault for options that its kind can't use."""
    try:
        return KINDS[setup.kind](setup, settings)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError) as error:
        why = str(error) or type(error).__name__
        raise Fault("The gateway “{name}” is set up wrongly: {why}", name=setup.name, why=why) from None


def _checked(entry: Mapping[str, Any]) -> Setup:
    name = str(entry.get("name", "")).strip()
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise Fault("A gateway's name is made of letters, digits and hyphens, not “{name}”.", name=name)
    kind = str(entry.get("kind", ""))
    if kind not in KINDS:
        raise Fault("There is no text message provider “{name}”.", name=kind)
    rate, window, timeout = entry.get("rate"), entry.get("window", 10), entry.get("timeout", 30)
    try:
        setup = Setup(
            name=name,
            kind=kind,
            priority=int(entry.get("priority", 1)),
            rate=float(rate) if rate is not None else None,
            window=int(window),
            timeout=float(timeout),
            secret=str(entry.get("secret", "")),
            addresses=tuple(str(ipaddress.ip_network(one, strict=False)) for one in entry.get("addresses", ())),
            receipts=bool(entry.get("receipts", kind not in LEADS_NOWHERE)),
            options={key: value for key, value in entry.items() if key not in COMMON},
        )
    except (TypeError, ValueError) as error:
        raise Fault("The gateway “{name}” is set up wrongly: {why}", name=name, why=str(error)) from None
    if setup.window < 1 or setup.timeout <= 0 or (setup.rate is not None and setup.rate <= 0):
        raise Fault("The gateway “{name}” is set up wrongly: {why}", name=name, why="window, rate and timeout")
    return setup


def _console(setup: Setup, settings: Settings) -> Gateway:
    from messaging.providers.console import ConsoleGateway

    return ConsoleGateway(setup)


def _null(setup: Setup, settings: Settings) -> Gateway:
    from messaging.providers.console import NullGateway

    return NullGateway(setup)


def _smpp(setup: Setup, settings: Settings) -> Gateway:
    from messaging.providers.smpp import SmppGateway

    return SmppGateway(setup)


def _kannel(setup: Setup, settings: Settings) -> Gateway:
    from messaging.providers.kannel import KannelGateway

    return KannelGateway(setup, settings.url, callback_secret(setup, settings))


def _https(setup: Setup, settings: Settings) -> Gateway:
    from messaging.providers.https import HttpsGateway

    return HttpsGateway(setup, settings.url)


KINDS: Mapping[str, Callable[[Setup, Settings], Gateway]] = {
    "console": _console,
    "null": _null,
    "smpp": _smpp,
    "kannel": _kannel,
    "https": _https,
}


def callback_secret(setup: Setup, settings: Settings) -> str:
    """What this gateway shows when it calls us: as set up, else one of our own making."""
    return setup.secret or settings.key(f"texts from {setup.name}").hex()[:40]


def names(found: Sequence[Setup]) -> list[str]:
    return [one.name for one in found]
