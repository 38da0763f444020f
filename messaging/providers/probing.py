"""Is every gateway there, and does it let us in? For `majlis doctor`: each is asked once, none gets a text."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from core.settings import Settings
from messaging.providers.base import Gateway
from messaging.providers.config import Setup, gateways

LONGEST_S = 10.0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of asking one gateway; `trouble` is empty where all is well."""

    name: str
    kind: str
    trouble: str


def probe(settings: Settings, *, connected: Collection[str] = ()) -> list[Found]:
    """Every gateway of the settings, the wrong ones too.

    A line that a worker has up (`connected`) is not bound a second time: some gateways drop the first for it.
    """
    made, wrong = gateways(settings)
    asked = [(setup, one) for setup, one in made if not (setup.kind == "smpp" and setup.name in connected)]
    troubles = asyncio.run(_all(asked)) if asked else {}
    good = [Found(setup.name, setup.kind, troubles.get(setup.name, "")) for setup, _gateway in made]
    return good + [Found(one.name, one.kind, str(one.why)) for one in wrong]


async def _all(asked: list[tuple[Setup, Gateway]]) -> dict[str, str]:
    said = await asyncio.gather(*(_one(setup, gateway) for setup, gateway in asked))
    return {setup.name: trouble for (setup, _gateway), trouble in zip(asked, said, strict=True)}


async def _one(setup: Setup, gateway: Gateway) -> str:
    longest = min(setup.timeout, LONGEST_S)
    try:
        async with asyncio.timeout(longest):
            return await gateway.probe()
    except TimeoutError:
        return f"no answer in {longest:g} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
