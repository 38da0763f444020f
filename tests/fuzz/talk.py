"""A meeting of two in memory, in which one of them says anything: what must not happen to the other, and to the record.

The recorder takes marks as the journal does (the same encoder), and legs are up as soon as they are answered.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any
from unittest import mock

from recordings.journal_records import Mark, encode_mark
from tests.fuzz.dice import Dice
from tests.fuzz.seeds import message
from video.media import connecting, sdp
from video.media.directory import MeetingInfo, ParticipantInfo, Refused
from video.media.link import WireClosed
from video.media.messages import CloseReason
from video.media.node import MediaNode
from video.media.tally import RoundTrip
from video.media.tokens import JoinClaims, mint

SECRET = b"0123456789abcdef"
PEOPLE = {
    "minister": ParticipantInfo("official", "الوزير", "Minister"),
    "aide": ParticipantInfo("aide", "المعاون", "Aide"),
    "sara": ParticipantInfo("visitor", "سارة", "Sara"),
}


class Leg:
    """Up as soon as it is answered; the answer is read as always."""

    def __init__(self, name: str, *, changed: Callable[[Any], None], **_: Any) -> None:
        self.name, self.state = name, "new"
        self.slots = tuple(sdp.SlotStreams(3 * n + 1, 3 * n + 2, 3 * n + 3) for n in range(3))
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self.trip, self.tally = RoundTrip(), None
        self.on_rtp = self.on_rtcp = lambda packet, now: None
        self.heard_at = 0.0
        self._changed = changed

    def offer(self) -> str:
        return "offer"

    def accept(self, text: str) -> None:
        if text != "yes":
            sdp.read_answer(text)
        self.state = "up"
        self._changed(self)

    def fail(self) -> None:
        self.state = "down"
        self._changed(self)

    def cut(self) -> None:
        self.state = "down"

    async def close(self) -> None:
        self.cut()

    def is_flooding(self, *, now: float) -> bool:
        return False

    def silence(self, *, now: float) -> float:
        return 0.0

    def send_rtp(self, packet: bytes, ssrc: int) -> None:
        pass

    def send_rtcp(self, packet: bytes) -> None:
        pass


class Book:
    def __init__(self) -> None:
        self.info = MeetingInfo("m1", "open", PEOPLE, frozenset({"sara"}))

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        return self.info if meeting_id == "m1" else None

    async def admit(self, meeting_id: str, by: str, participant_id: str, at: float) -> None:
        participant_id.encode()  # as any database would
        if participant_id not in PEOPLE:
            raise Refused("unknown_participant")

    async def _nothing(self, *facts: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return self._nothing


class Sink:
    last_durable_at = 1e9

    def __init__(self, meeting_id: str) -> None:
        self.marks: list[bytes] = []

    def track(self, *given: Any) -> None:
        pass

    def write(self, *given: Any) -> None:
        pass

    def mark(self, at: float, kind: str, data: dict[str, Any]) -> None:
        self.marks.append(encode_mark(Mark(at, kind, data)))

    def close(self, at: float) -> None:
        pass

    def healthy(self) -> bool:
        return True


class Client:
    """The other end of a link; what it is sent must be what a WebSocket can carry and a browser can read."""

    def __init__(self, node: MediaNode) -> None:
        self.heard: list[dict[str, Any]] = []
        self.ended = False
        self._up: asyncio.Queue[str | None] = asyncio.Queue()
        self.task = asyncio.ensure_future(node.serve(self))

    async def receive(self) -> str:
        text = await self._up.get()
        if text is None:
            raise WireClosed
        return text

    async def send(self, text: str) -> None:
        text.encode()
        self.heard.append(json.loads(text, parse_constant=_no_json))

    async def close(self, code: int, reason: str) -> None:
        self.ended = True

    async def say(self, text: str | None) -> None:
        self._up.put_nowait(text)
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def reason(self) -> str | None:
        return next((one["reason"] for one in self.heard if one["type"] == "close"), None)


def _no_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


class Alarm(logging.Handler):
    """Whatever is logged as an error: somebody could fill the disk with it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.records.append(record)

    def check(self) -> None:
        assert not self.records, "\n".join(logging.Formatter().format(record) for record in self.records)


async def inline(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def talk(data: bytes) -> None:
    """Someone admitted (the visitor or the aide) says anything."""
    dice = Dice(data)
    speaker = dice.pick(("sara", "aide"))
    texts = []
    while not dice.used_up and len(texts) < 12:
        texts.append(message(dice))
    asyncio.run(meeting(speaker, texts))


async def meeting(speaker: str, texts: list[str]) -> None:
    with mock.patch.object(connecting, "Leg", Leg), mock.patch.object(asyncio, "to_thread", inline):
        alarm, media = Alarm(), logging.getLogger("video.media")
        media.addHandler(alarm)
        node = MediaNode(
            Book(), Sink, token_secret=SECRET, addresses=["127.0.0.1"], wall=lambda: 1000.0, monotonic=lambda: 1000.0
        )
        try:
            minister, sara = [await _joined(node, who) for who in ("minister", "sara")]
            one = sara if speaker == "sara" else await _joined(node, speaker)
            for text in texts:
                await one.say(text)
            for other in {minister, sara} - {one}:
                assert not other.ended and other.reason is None, (other.reason, texts)
                assert not other.task.done()
            assert one.reason != CloseReason.FAULT, texts
            recorder = node.rooms["m1"]._proceedings.recorder
            assert recorder.state in ("on", "starting"), (recorder.state, texts)
            alarm.check()
        finally:
            media.removeHandler(alarm)
            await node.stop()


async def _joined(node: MediaNode, who: str) -> Client:
    client, info = Client(node), PEOPLE[who]
    token = mint(SECRET, JoinClaims("m1", who, info.role, info.name_ar, info.name_en), now=1000.0)
    await client.say(json.dumps({"type": "join", "token": token}))
    leg = next(one["leg"] for one in client.heard if one["type"] == "offer")
    await client.say(json.dumps({"type": "answer", "leg": leg, "sdp": "yes"}))
    return client


def strangers(data: bytes) -> None:
    """Somebody without a token says anything; nothing of it is worth a place."""
    dice = Dice(data)
    texts = [message(dice) for _ in range(3)]

    async def scene() -> None:
        alarm, media = Alarm(), logging.getLogger("video.media")
        media.addHandler(alarm)
        node = MediaNode(Book(), Sink, token_secret=SECRET, addresses=[], wall=lambda: 0.0, monotonic=lambda: 0.0)
        try:
            client = Client(node)
            for text in texts:
                await client.say(text)
            assert client.reason in ("bad_message", "bad_token", "bad_resume"), (client.reason, texts)
            assert not node.rooms
            alarm.check()
        finally:
            media.removeHandler(alarm)
            await node.stop()

    asyncio.run(scene())
