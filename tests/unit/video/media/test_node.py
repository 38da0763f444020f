"""The node without network: signalling over queues, legs that only pretend, a clock that the test moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from video.media import connecting, room, sdp
from video.media.connecting import RENEW_S
from video.media.directory import LegSummary, MeetingInfo, ParticipantInfo, Refused
from video.media.judgement import CALM_S, GOOD, Verdict
from video.media.leg import ANSWER_S, DOWN_S, SILENT_S
from video.media.link import BURST, Link, WireClosed
from video.media.member import GRACE_S, LEGS
from video.media.node import MediaNode
from video.media.room import IDLE_S
from video.media.shedding import Shed
from video.media.silence import BLIND, DEAF_S, KEPT_S, LINGER_S
from video.media.tally import RoundTrip
from video.media.tokens import JoinClaims, mint
from video.media.turn import Turn

SECRET = b"0123456789abcdef"
PEOPLE = {
    "minister": ParticipantInfo("official", "الوزير", "Minister"),
    "sara": ParticipantInfo("visitor", "سارة", "Sara"),
    "aide": ParticipantInfo("aide", "المعاون", "Aide"),
    "signer": ParticipantInfo("interpreter", "المترجم", "Interpreter"),
    "second": ParticipantInfo("visitor", "ثانٍ", "Second"),
}


class FakeLeg:
    """A leg that is up as soon as it is answered."""

    made: list[FakeLeg] = []

    def __init__(self, name: str, *, changed: Callable[[Any], None], monotonic: Callable[[], float], **_: Any):
        self.name, self.state = name, "new"
        self.slots = tuple(sdp.SlotStreams(3 * n + 1, 3 * n + 2, 3 * n + 3) for n in range(3))
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self.trip, self.tally = RoundTrip(), None
        self.sent: list[int] = []
        self.on_rtp = self.on_rtcp = lambda packet, now: None
        self._changed, self._monotonic = changed, monotonic
        self.heard_at = monotonic()
        FakeLeg.made.append(self)

    def offer(self) -> str:
        return "offer of " + self.name

    def accept(self, text: str) -> None:
        if text == "nonsense":
            raise sdp.BadAnswer("nonsense")
        self.heard_at = self._monotonic()
        self.state = "up"
        self._changed(self)

    def known_by(self, ssrcs: tuple[int, ...]) -> None:
        pass

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
        return now - self.heard_at

    def send_rtp(self, packet: bytes, ssrc: int) -> None:
        self.sent.append(ssrc)

    def send_rtcp(self, packet: bytes) -> None:
        pass


class Book:
    """A directory that remembers."""

    def __init__(self) -> None:
        self.info = MeetingInfo("m1", "open", PEOPLE)
        self.told: list[tuple[Any, ...]] = []
        self.others: dict[str, MeetingInfo] = {}
        self.fared: list[tuple[str, LegSummary]] = []
        self.broken = False

    def change(self, **values: Any) -> None:
        self.info = MeetingInfo(**{**self.info.__dict__, **values})

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        if self.broken:
            raise OSError("no database")
        return {"m1": self.info, **self.others}.get(meeting_id)

    def __getattr__(self, what: str) -> Callable[..., Awaitable[None]]:
        async def tell(*arguments: Any) -> None:
            if self.broken:
                raise OSError("no database")
            self.told.append((what, *arguments))

        return tell

    async def quality(self, meeting_id: str, participant_id: str, at: float, summary: LegSummary) -> None:
        self.fared.append((participant_id, summary))

    async def admit(self, meeting_id: str, by: str, participant_id: str, at: float) -> None:
        if participant_id not in PEOPLE:
            raise Refused("unknown_participant")
        self.change(admitted=self.info.admitted | {participant_id})

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        self.change(state="ended")

    def names(self) -> list[str]:
        return [entry[0] for entry in self.told]


class Sink:
    last_durable_at = 1e9

    def __init__(self) -> None:
        self.tracks: list[str] = []
        self.marks: list[str] = []
        self.packets = 0
        self.closed = False

    def track(self, leg: str, *rest: Any) -> None:
        self.tracks.append(leg)

    def write(self, leg: str, at: float, packet: bytes) -> None:
        self.packets += 1

    def mark(self, at: float, kind: str, data: dict[str, Any]) -> None:
        self.marks.append(kind)

    def close(self, at: float) -> None:
        self.closed = True

    def healthy(self) -> bool:
        return True


class Client:
    """The other end of a signalling connection."""

    def __init__(self, stage: Stage) -> None:
        self.heard: list[dict[str, Any]] = []
        self.code: int | None = None
        self._up: asyncio.Queue[str | None] = asyncio.Queue()
        self.task = asyncio.ensure_future(stage.node.serve(self))

    # the wire, as the node sees it
    async def receive(self) -> str:
        text = await self._up.get()
        if text is None:
            raise WireClosed
        return text

    async def send(self, text: str) -> None:
        self.heard.append(json.loads(text))

    async def close(self, code: int, reason: str) -> None:
        self.code = code

    # the client
    async def say(self, kind: str, /, **values: Any) -> None:
        await self.raw(json.dumps({"type": kind, **values}))

    async def raw(self, text: str) -> None:
        self._up.put_nowait(text)
        await settle()

    async def drop(self) -> None:
        self._up.put_nowait(None)
        await settle()

    async def answer(self) -> None:
        await self.say("answer", leg=self.last("offer")["leg"], sdp="answer")

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]

    def last(self, kind: str) -> dict[str, Any]:
        return self.all(kind)[-1]

    @property
    def reason(self) -> str | None:
        return self.last("close")["reason"] if self.all("close") else None

    @property
    def present(self) -> dict[str, str]:
        return {one["id"]: one["state"] for one in self.last("presence")["participants"]}


async def settle() -> None:
    """Lets everything run that waits for nothing outside."""
    for _ in range(50):
        await asyncio.sleep(0)


async def inline(function: Callable[..., Any], *arguments: Any) -> Any:
    """Instead of a thread: opening and closing a sink happen at once."""
    return function(*arguments)


class Stage:
    def __init__(self) -> None:
        FakeLeg.made.clear()
        self.now = 1000.0
        self.book = Book()
        self.sinks: list[Sink] = []
        self.no_sink = False
        self.node = MediaNode(
            self.book,
            self.open_sink,
            token_secret=SECRET,
            addresses=["127.0.0.1"],
            wall=lambda: self.now,
            monotonic=lambda: self.now,
        )

    def another(self, **values: Any) -> MediaNode:
        """A node with other settings in the place of the first."""
        given = {"addresses": ["127.0.0.1"], "wall": lambda: self.now, "monotonic": lambda: self.now, **values}
        self.node = MediaNode(self.book, self.open_sink, token_secret=SECRET, **given)
        return self.node

    def open_sink(self, meeting_id: str) -> Sink:
        if self.no_sink:
            raise OSError("full")
        self.sinks.append(Sink())
        return self.sinks[-1]

    def token(self, who: str, meeting: str = "m1") -> str:
        info = PEOPLE.get(who, PEOPLE["sara"])
        return mint(SECRET, JoinClaims(meeting, who, info.role, info.name_ar, info.name_en), now=self.now)

    async def join(self, who: str, **values: Any) -> Client:
        client = Client(self)
        await client.say("join", **(values or {"token": self.token(who)}))
        return client

    async def couple(self) -> tuple[Client, Client]:
        self.book.change(admitted=frozenset({"sara"}))
        minister, sara = await self.join("minister"), await self.join("sara")
        await minister.answer()
        await sara.answer()
        await settle()
        return minister, sara

    async def pass_time(self, seconds: float, *, alive: bool = True) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 0.5
            for leg in FakeLeg.made:
                if alive and leg.state == "up":
                    leg.heard_at = self.now
            for one in list(self.node.rooms.values()):
                for member in one.members.values():
                    if member.link is not None:
                        member.link.heard_at = self.now
                one.tick_fast(now=self.now)
                one.tick(now=self.now)
            await settle()

    @property
    def room(self) -> room.Room:
        return self.node.rooms["m1"]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    monkeypatch.setattr(connecting, "Leg", FakeLeg)
    monkeypatch.setattr(asyncio, "to_thread", inline)

    def run(scene: Callable[[Stage], Awaitable[None]]) -> None:
        async def whole() -> None:
            stage = Stage()
            try:
                await asyncio.wait_for(scene(stage), 20)
            finally:
                await stage.node.stop()

        asyncio.run(whole())

    return run


Play = Callable[[Callable[[Stage], Awaitable[None]]], None]


def test_the_visitor_waits_without_a_leg_until_admitted(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.join("minister"), await stage.join("sara")
        assert sara.last("welcome")["state"] == "lobby" and sara.all("lobby")
        assert not sara.all("offer") and not sara.all("presence")
        assert minister.present == {"minister": "here", "sara": "lobby"}
        await minister.say("admit", participant="sara")
        assert sara.all("admitted") and sara.all("offer")
        assert sara.present == minister.present == {"minister": "here", "sara": "here"}

    play(scene)


def test_only_hosts_see_the_lobby(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await stage.join("signer")
        assert "signer" in minister.present and "signer" not in sara.present

    play(scene)


def test_the_recording_starts_with_official_and_visitor_connected_and_media_flow_only_then(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.book.change(admitted=frozenset({"sara"}))
        minister = await stage.join("minister")
        await minister.answer()
        aide = await stage.join("aide")
        await aide.answer()
        assert stage.sinks == [] and not stage.room.router.flowing
        sara = await stage.join("sara")
        assert stage.sinks == []
        await sara.answer()
        await settle()
        assert stage.room.router.flowing and stage.room.live
        assert [one["state"] for one in sara.all("recording")] == ["starting", "on"]
        assert stage.book.names() == ["joined", "joined", "joined", "went_live"]
        assert stage.sinks[0].marks[0] == "started"

    play(scene)


def test_a_meeting_that_cannot_be_recorded_does_not_start_and_everybody_is_told(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.no_sink = True
        minister, sara = await stage.couple()
        assert sara.last("recording")["state"] == minister.last("recording")["state"] == "lost"
        assert not stage.room.router.flowing and not stage.room.live
        assert stage.book.names().count("recording_lost") == 1 and "went_live" not in stage.book.names()
        await stage.pass_time(12)
        assert stage.book.names().count("recording_lost") == 1
        stage.no_sink = False
        await stage.pass_time(6)
        assert sara.last("recording")["state"] == "on" and stage.room.router.flowing

    play(scene)


def test_a_recording_lost_in_the_middle_is_said_once_and_taken_up_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        _, sara = await stage.couple()
        stage.sinks[0].healthy = lambda: False  # type: ignore[method-assign]
        await stage.pass_time(0.5)
        assert sara.last("recording")["state"] == "lost"
        assert stage.book.names()[-1] == "recording_lost"
        assert stage.room.router.flowing
        await stage.pass_time(7)
        assert sara.last("recording")["state"] == "on" and len(stage.sinks) == 2
        assert stage.book.names().count("went_live") == 1

    play(scene)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "join", "token": "nonsense"}, "bad_token"),
        ({"type": "join"}, "bad_token"),
        ({"type": "join", "token": 7}, "bad_token"),
        ({"type": "join", "resume": "m1:sara:guess"}, "bad_resume"),
        ({"type": "join", "resume": 7}, "bad_resume"),
        ({"type": "admit", "participant": "sara"}, "bad_message"),
        ({"no": "type"}, "bad_message"),
    ],
)
def test_nobody_comes_in_without_a_good_first_word(play: Play, message: dict[str, Any], reason: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.join("minister")
        client = Client(stage)
        await client.raw(json.dumps(message))
        assert client.reason == reason and client.code == 4000
        assert client.heard == [{"type": "close", "reason": reason}]

    play(scene)


def test_tokens_are_used_once_for_the_right_meeting_and_person(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        token = stage.token("sara")
        await stage.join("sara", token=token)
        assert (await stage.join("sara", token=token)).reason == "used_token"
        assert (await stage.join("", token=stage.token("sara", "m2"))).reason == "no_meeting"
        assert (await stage.join("", token=stage.token("stranger"))).reason == "not_invited"
        claims = JoinClaims("m1", "sara", "official", "سارة", "Sara")
        assert (await stage.join("", token=mint(SECRET, claims, now=stage.now))).reason == "not_invited"
        stage.book.change(removed=frozenset({"aide"}))
        assert (await stage.join("aide")).reason == "removed"
        stage.book.change(state="ended")
        assert (await stage.join("sara")).reason == "ended"

    play(scene)


def test_a_drop_is_followed_by_a_return_without_token_or_admission(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        resume = sara.last("welcome")["resume"]
        await sara.drop()
        stage.room.members["sara"].leg.fail()  # type: ignore[union-attr]
        await settle()
        assert minister.present["sara"] == "reconnecting"
        back = await stage.join("sara", resume=resume)
        assert back.last("welcome")["state"] == "here" and back.last("offer")["leg"] == "sara/2"
        await back.answer()
        assert minister.present["sara"] == "here"
        again = await stage.join("sara", resume=resume)
        assert back.reason == "taken_over" and again.all("welcome")

    play(scene)


def test_a_leg_that_still_works_is_kept_over_a_signalling_drop(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        resume = sara.last("welcome")["resume"]
        await sara.drop()
        assert minister.present["sara"] == "here"
        back = await stage.join("sara", resume=resume, leg="sara/1")
        assert back.last("welcome")["leg"] == "sara/1" and not back.all("offer")
        assert back.last("slots")["slots"][0]["participant"] == "minister"
        other = await stage.join("sara", resume=resume, leg="minister/1")
        assert other.last("welcome")["leg"] is None and other.all("offer")

    play(scene)


def test_a_new_token_takes_over_and_the_old_secret_is_worthless(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        second = await stage.join("sara")
        assert sara.reason == "taken_over"
        assert second.last("offer")["leg"] == "sara/2"
        assert (await stage.join("", resume=sara.last("welcome")["resume"])).reason == "bad_resume"
        await minister.say("text", line=1, text="hello", final=True)
        assert second.last("text")["text"] == "hello" and not sara.all("text")

    play(scene)


def test_the_removed_lose_leg_and_link_at_once_and_cannot_resume(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        leg = stage.room.members["sara"].leg
        stage.book.change(removed=frozenset({"sara"}))
        await stage.node.sync("m1")
        assert leg is not None and leg.state == "down"
        assert "sara" not in stage.room.router.endpoints
        await settle()
        assert sara.reason == "removed"
        assert (await stage.join("", resume=sara.last("welcome")["resume"])).reason in ("removed", "bad_resume")
        assert "sara" not in minister.present

    play(scene)


def test_someone_sent_back_to_the_lobby_sees_nothing_more(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        stage.book.change(admitted=frozenset())
        await stage.node.sync("m1")
        await settle()
        assert sara.heard[-1]["type"] == "lobby" and "sara" not in stage.room.router.endpoints
        heard = len(sara.heard)
        await minister.say("text", line=1, text="private", final=True)
        await sara.say("answer", leg="sara/1", sdp="answer")
        assert sara.last("refused")["why"] == "in_lobby"
        assert len(sara.heard) == heard + 1

    play(scene)


def test_the_end_closes_legs_links_and_recording(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await sara.say("end")
        assert sara.last("refused") == {"type": "refused", "what": "end", "why": "not_allowed"}
        await minister.say("end")
        await settle()
        assert minister.reason == sara.reason == "ended"
        assert all(leg.state == "down" for leg in FakeLeg.made)
        assert stage.sinks[0].closed and "ended" in stage.sinks[0].marks
        assert stage.node.rooms == {}
        assert sorted(stage.book.names()[-2:]) == ["left", "left"]

    play(scene)


def test_silence_is_warned_of_then_the_person_is_away_and_at_last_the_leg_is_replaced(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await stage.pass_time(SILENT_S, alive=False)
        assert {one["participant"] for one in minister.all("quality")} == {"minister", "sara"}
        assert minister.last("quality")["level"] == "silent"
        FakeLeg.made[0].heard_at = stage.now + 100
        await stage.pass_time(DOWN_S - SILENT_S, alive=False)
        assert minister.present["sara"] == "reconnecting"
        assert stage.sinks[0].marks[-1] == "disconnected"
        await stage.pass_time(KEPT_S - DOWN_S - 0.5, alive=False)
        assert sara.last("offer")["leg"] == "sara/1"
        await stage.pass_time(1.5, alive=False)
        assert sara.last("offer")["leg"] == "sara/2"
        await sara.answer()
        assert minister.present["sara"] == "here"
        assert stage.sinks[0].marks[-2:] == ["disconnected", "connected"]

    play(scene)


def test_a_silent_leg_that_is_heard_again_goes_on_and_pictures_are_asked_for(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        router = stage.room.router
        assert router.relaying
        await stage.pass_time(DEAF_S, alive=False)
        assert not router.relaying, "nobody waits for the feedback of someone who hears nothing"
        await stage.pass_time(KEPT_S - 2, alive=False)
        assert minister.present["sara"] == "reconnecting"
        wanted: list[bool] = []
        router.want_keyframes = lambda: wanted.append(True)  # type: ignore[method-assign]
        await stage.pass_time(0.5)
        assert wanted and not router.relaying, "the first reports tell of nothing but the dark"
        await stage.pass_time(LINGER_S)
        assert router.relaying
        assert minister.present["sara"] == "here" and sara.last("offer")["leg"] == "sara/1"
        assert stage.sinks[0].marks[-1] == "connected"

    play(scene)


def test_a_receiver_whom_nothing_reaches_is_answered_for_though_it_is_heard(play: Play) -> None:
    """Its line is cut on the way down alone: it sends, and tells of nothing that came."""

    async def scene(stage: Stage) -> None:
        minister, _ = await stage.couple()
        router, leg = stage.room.router, FakeLeg.made[1]
        downlink = router.endpoints["sara"].downlink
        await stage.pass_time(DEAF_S)
        assert router.relaying, "it has never told of anything"
        downlink.heard_at = stage.now
        await stage.pass_time(3 * DEAF_S)
        assert router.relaying, "nothing is sent to it"
        downlink.heard_at = stage.now
        await stage.pass_time(0.5)
        leg.packets_out += BLIND
        wanted: list[bool] = []
        router.want_keyframes = lambda: wanted.append(True)  # type: ignore[method-assign]
        await stage.pass_time(DEAF_S)
        assert not router.relaying and minister.present["sara"] == "here" and not wanted
        downlink.heard_at = stage.now
        await stage.pass_time(0.5)
        assert wanted and not router.relaying
        await stage.pass_time(LINGER_S)
        assert router.relaying

    play(scene)


def test_who_comes_or_comes_back_is_told_how_every_line_is_and_of_changes_once(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, _ = await stage.couple()
        stage.room.members["sara"].line.shown = Verdict("weak", "uplink")
        aide = await stage.join("aide")
        weak = {"type": "quality", "participant": "sara", "level": "weak", "why": "uplink"}
        assert weak in aide.all("quality") and weak in minister.all("quality")
        assert {one["participant"] for one in aide.all("quality")} == {"minister", "sara", "aide"}
        await stage.pass_time(CALM_S + 0.5)
        assert minister.last("quality") == aide.last("quality") == {**weak, "level": "good", "why": None}
        assert len(aide.all("quality")) == 4

    play(scene)


def test_a_line_is_not_remembered_against_someone_who_left_and_comes_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        stage.room.members["sara"].line.shown = Verdict("silent")
        await sara.say("leave")
        await stage.pass_time(0.5)
        await stage.join("sara")
        assert stage.room.members["sara"].line.shown == GOOD
        told = [one for one in minister.all("quality") if one["participant"] == "sara"]
        assert told[-1]["level"] == "good"

    play(scene)


def test_a_picture_that_makes_way_for_the_sound_is_shown_to_the_others_and_noted(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await sara.say("media", audio=True, video=True, held=True)
        shown = {one["id"]: one["held"] for one in minister.last("presence")["participants"]}
        assert shown == {"minister": False, "sara": True}
        await sara.say("media", audio=True, video=True)
        assert not any(one["held"] for one in minister.last("presence")["participants"])

    play(scene)


def test_whoever_is_spared_a_picture_is_told_so_and_nobody_else(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        stage.room.router.endpoints["sara"].shed = Shed(frozenset({"minister"}))
        stage.room.notices.presence()
        await settle()
        for one, spared in ((sara, {"minister"}), (minister, set())):
            assert {who["id"] for who in one.last("presence")["participants"] if who["spared"]} == spared

    play(scene)


def test_a_client_that_finds_its_leg_broken_gets_another(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        _, sara = await stage.couple()
        await sara.say("renew", leg="minister/1")
        assert stage.room.members["sara"].connected
        stage.now += RENEW_S
        await sara.say("renew", leg="sara/1")
        assert sara.last("offer")["leg"] == "sara/2", "at once"
        await sara.answer()
        await sara.say("renew", leg="sara/2")
        assert sara.last("offer")["leg"] == "sara/2", "but not as often as one likes"
        await stage.pass_time(0.5)
        assert sara.last("offer")["leg"] == "sara/3"

    play(scene)


def test_a_client_that_wants_legs_without_end_is_told_to_stop_and_may_come_back_later(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        legs = 1
        while sara.reason is None:
            assert legs < 200
            stage.now += RENEW_S
            await sara.say("renew", leg=sara.last("offer")["leg"])
            if sara.reason is None:
                legs += 1
                await sara.answer()
        assert sara.reason == "too_many_legs" and LEGS <= legs <= 2 * LEGS
        assert minister.reason is None and "sara" not in stage.room.router.endpoints
        resume = sara.last("welcome")["resume"]
        assert (await stage.join("", resume=resume)).reason == "too_many_legs"
        stage.now += 60
        back = await stage.join("", resume=resume)
        assert back.reason is None and back.last("offer")

    play(scene)


def test_a_bad_network_for_hours_is_no_reason_to_stop(play: Play) -> None:
    """A leg a quarter of a minute is as often as a browser finds out."""

    async def scene(stage: Stage) -> None:
        _, sara = await stage.couple()
        for _ in range(500):
            stage.now += 15
            await sara.say("renew", leg=sara.last("offer")["leg"])
            await sara.answer()
        assert sara.reason is None

    play(scene)


def test_someone_who_does_not_come_back_has_left_but_may_still_return(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await sara.drop()
        stage.room.members["sara"].leg.fail()  # type: ignore[union-attr]
        await stage.pass_time(GRACE_S + 2)
        assert "sara" not in minister.present and stage.book.names()[-1] == "left"
        back = await stage.join("", resume=sara.last("welcome")["resume"])
        assert back.last("welcome")["state"] == "here"
        assert minister.present["sara"] == "here" and stage.book.names()[-1] == "joined"

    play(scene)


def test_an_abandoned_meeting_closes_its_recording_and_starts_another_when_taken_up(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await minister.drop()
        await sara.drop()
        for leg in FakeLeg.made:
            leg.fail()
        await stage.pass_time(IDLE_S + 2)
        assert stage.sinks[0].closed and not stage.room.router.flowing
        await stage.couple()
        assert len(stage.sinks) == 2 and stage.room.router.flowing

    play(scene)


def test_an_offer_that_nobody_answers_is_made_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister = await stage.join("minister")
        await stage.pass_time(ANSWER_S + 1)
        assert [one["leg"] for one in minister.all("offer")] == ["minister/1", "minister/2"]

    play(scene)


def test_a_client_that_no_way_leads_to_is_let_go_and_may_try_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister = await stage.join("minister")
        await stage.pass_time(connecting.GIVE_UP * (ANSWER_S + 8))
        assert len(minister.all("offer")) == connecting.GIVE_UP
        assert minister.reason == "no_media"
        again = await stage.join("minister", resume=minister.last("welcome")["resume"])
        assert again.all("offer") and again.reason is None

    play(scene)


def test_a_leg_that_came_up_in_between_is_a_way(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, _ = await stage.couple()
        for _ in range(3 * connecting.GIVE_UP):
            FakeLeg.made[-1 if FakeLeg.made[-1].name.startswith("minister") else -2].fail()
            await stage.pass_time(1)
            await minister.answer()
        assert minister.reason is None

    play(scene)


def test_whoever_floods_is_cut_off_for_good_and_the_others_go_on(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        leg = next(one for one in FakeLeg.made if one.name == "sara/1")
        leg.is_flooding = lambda *, now: True  # type: ignore[method-assign]
        await stage.pass_time(1)
        assert sara.reason == "flooding" and leg.state == "down"
        assert minister.present == {"minister": "here"} and minister.reason is None
        back = await stage.join("sara", resume=sara.last("welcome")["resume"])
        assert back.reason == "bad_resume"

    play(scene)


def test_whoever_comes_back_again_and_again_is_told_to_stop_and_disturbs_nobody(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        secret = sara.last("welcome")["resume"]
        reasons = [(await stage.join("sara", resume=secret)).reason for _ in range(30)]
        assert reasons.count("flooding") == 10 and reasons[-1] == "flooding"
        await stage.pass_time(3)
        assert (await stage.join("sara", resume=secret)).reason is None
        assert minister.reason is None

    play(scene)


def test_a_process_that_stood_still_finds_everybody_where_they_were(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        for one in FakeLeg.made:
            one.heard_at = stage.now
        stage.sinks[-1].last_durable_at = 0.0
        stage.room._proceedings.recorder._watch.written = 5.0
        stage.now += 0.5
        stage.node._beat(stage.node.rooms.values(), stage.now, slow=True, late=0.0)
        stage.now += 40.0
        stage.node._beat(stage.node.rooms.values(), stage.now, slow=True, late=40.0)
        await settle()
        assert minister.reason is None and sara.reason is None
        assert minister.present == {"minister": "here", "sara": "here"}
        assert "recording_lost" not in stage.book.names()

    play(scene)


def test_four_are_enough(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.book.change(admitted=frozenset(PEOPLE))
        for who in ("minister", "sara", "aide", "signer"):
            assert (await stage.join(who)).all("offer")
        fifth = await stage.join("second")
        assert fifth.reason == "full"

    play(scene)


def test_leaving_is_final_and_frees_the_seat(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        assert minister.last("slots")["slots"][0]["participant"] == "sara"
        await sara.say("leave")
        await settle()
        assert sara.reason == "left"
        assert minister.present == {"minister": "here"}
        assert minister.last("slots")["slots"][0]["participant"] is None

    play(scene)


def test_marks_are_for_hosts_and_texts_for_everybody_inside(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await minister.say("mark", kind="order", data={"n": 1}, ref="r")
        assert minister.last("marked")["kind"] == "order" and not sara.all("marked")
        await sara.say("mark", kind="order")
        assert sara.last("refused")["why"] == "not_allowed"
        await sara.say("text", line=1, text="أ", final=False)
        await sara.say("text", line=1, text="أهلا", final=True)
        assert [one["final"] for one in minister.all("text")] == [False, True]
        assert stage.sinks[0].marks.count("text") == 1

    play(scene)


def test_a_text_that_is_said_again_is_taken_once(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        for number, text, final in ((1, "م", False), (2, "مرحبًا", True), (1, "م", False), (2, "مرحبًا", True)):
            await sara.say("text", line=0, text=text, final=final, writer="page", number=number)
        assert [one["text"] for one in minister.all("text")] == ["م", "مرحبًا"]
        assert [one["number"] for one in sara.all("taken")] == [1, 2, 1, 2], "each is answered, or it comes for ever"
        await sara.say("text", line=0, text="page loaded again", final=True, writer="another", number=1)
        assert minister.last("text")["text"] == "page loaded again"
        assert stage.sinks[0].marks.count("text") == 2
        await sara.say("text", line=0, text="", final=True, writer="x" * 33, number=1)
        assert sara.reason == "bad_message"

    play(scene)


def test_who_comes_back_is_told_what_was_written_meanwhile_and_nothing_else(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await minister.say("text", line=0, text="before", final=True)
        heard = sara.last("text")["number"]
        resume, leg = sara.last("welcome")["resume"], sara.last("offer")["leg"]
        await sara.drop()
        for line, text, final in ((1, "o", False), (1, "one", True), (2, "t", False), (2, "two", False)):
            await minister.say("text", line=line, text=text, final=final)
        back = await stage.join("", resume=resume, leg=leg, heard=heard)
        assert [(one["text"], one["final"]) for one in back.all("text")] == [("one", True), ("two", False)]
        assert [one["type"] for one in back.heard].index("admitted") < [one["type"] for one in back.heard].index("text")
        await minister.say("text", line=2, text="two!", final=True)
        again = await stage.join("", resume=resume, leg=leg, heard=back.last("text")["number"])
        assert not again.all("text")
        assert not (await stage.join("", resume=resume, leg=leg)).all("text"), "a page that knows of none asks for none"
        for nonsense in ("1", None, True, 1e300, [1]):
            assert not (await stage.join("", resume=resume, leg=leg, heard=nonsense)).all("text")

    play(scene)


def test_who_was_not_inside_is_never_told_what_was_written_then(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        resume = sara.last("welcome")["resume"]
        stage.book.change(admitted=frozenset())
        await stage.node.sync("m1")
        await minister.say("text", line=0, text="private", final=True)
        stage.book.change(admitted=frozenset({"sara"}))
        await stage.node.sync("m1")
        assert not sara.all("text")
        assert not (await stage.join("", resume=resume, heard=0)).all("text")

    play(scene)


def test_a_directory_out_of_reach_does_not_disturb_a_running_meeting(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        stage.book.broken = True
        await stage.node.sync("m1")
        await sara.say("text", line=1, text="still here", final=True)
        assert minister.last("text")["text"] == "still here"
        assert (await stage.join("aide")).reason == "fault"

    play(scene)


def test_a_bad_answer_and_a_flood_end_the_connection(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister = await stage.join("minister")
        await minister.say("answer", leg=minister.last("offer")["leg"], sdp="nonsense")
        assert minister.reason == "bad_message"
        aide = await stage.join("aide")
        for _ in range(int(BURST) + 5):
            aide._up.put_nowait(json.dumps({"type": "ping"}))
        for _ in range(10):
            await settle()
        assert aide.reason == "flooding"

    play(scene)


def test_stopping_tells_clients_to_come_back_and_closes_recordings(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        minister, sara = await stage.couple()
        await stage.node.stop()
        await settle()
        assert minister.reason == sara.reason == "stopping"
        assert stage.sinks[0].closed

    play(scene)


def test_stopping_waits_for_what_an_ended_meeting_still_has_to_say(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        await stage.couple()
        may_write = asyncio.Event()

        async def left(*arguments: Any) -> None:
            await may_write.wait()
            stage.book.told.append(("left", *arguments))

        stage.book.left = left  # type: ignore[attr-defined]
        stage.book.change(state="ended")
        await stage.node.sync("m1")
        assert stage.node.rooms == {}
        stopping = asyncio.ensure_future(stage.node.stop())
        await settle()
        assert not stopping.done()
        may_write.set()
        await stopping
        assert stage.book.names().count("left") == 2

    play(scene)


def test_a_client_that_does_not_read_is_let_go() -> None:
    async def scene() -> None:
        class Stuck:
            async def receive(self) -> str:
                await asyncio.sleep(60)
                return ""

            async def send(self, text: str) -> None:
                await asyncio.sleep(60)

            async def close(self, code: int, reason: str) -> None: ...

        link = Link(Stuck())
        for number in range(1000):
            link.send("presence", n=number)
        assert link.closed == "too_slow" and link._queue.qsize() < 300
        link._writer.cancel()

    asyncio.run(scene())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(["answer", "renew", "admit", "media", "text", "mark", "ping", "join", "what"])
said = st.text(max_size=40) | st.builds(
    lambda kind, rest: json.dumps({**rest, "type": kind}),
    kinds,
    st.dictionaries(
        st.sampled_from(["leg", "sdp", "participant", "line", "text", "final", "kind", "data", "audio", "video", "t"]),
        json_values,
        max_size=5,
    ),
)


@settings(max_examples=30, deadline=None)
@given(words=st.lists(said, min_size=1, max_size=4))
def test_whatever_a_client_says_the_others_go_on(words: list[str]) -> None:
    async def scene() -> None:
        stage = Stage()
        minister, sara = await stage.couple()
        for word in words:
            await sara.raw(word)
        assert sara.reason in (None, "bad_message")
        await minister.say("ping", t=1)
        assert minister.last("pong")["t"] == 1 and minister.reason is None
        await stage.node.stop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "Leg", FakeLeg)
        patch.setattr(asyncio, "to_thread", inline)
        asyncio.run(scene())


def test_each_join_gets_a_credential_of_its_own_for_the_turn_server(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        fixed = {"urls": "stun:s.example"}
        stage.another(ice_servers=[fixed], turn=Turn(("turn:t.example",), "secret"))
        minister, sara = await stage.join("minister"), await stage.join("sara")
        for who, client in (("minister", minister), ("sara", sara)):
            servers = client.last("welcome")["ice_servers"]
            assert servers[0] == fixed and servers[1]["username"].endswith(f":{who}")
            assert stage.now < int(servers[1]["username"].split(":")[0]) <= stage.now + 24 * 3600

    play(scene)


def test_a_full_node_takes_no_new_meeting_but_everyone_of_those_that_run_and_one_that_was_live(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        node = stage.another(most_meetings=1)
        minister, sara = await stage.couple()
        assert node.full and node.health()["full"] and node.health()["meetings"] == 1
        stage.book.others = {
            "m2": MeetingInfo("m2", "open", PEOPLE),
            "m3": MeetingInfo("m3", "live", PEOPLE),
        }
        assert not node.takes("m2") and node.takes("m1")
        refused = await stage.join("", token=stage.token("minister", "m2"))
        assert refused.reason == "busy" and "m2" not in node.rooms
        assert (await stage.join("", token=stage.token("minister", "m3"))).last("welcome")["meeting"] == "m3"
        assert (await stage.join("aide")).last("welcome")["state"] == "here"
        back = await stage.join("sara", resume=sara.last("welcome")["resume"])
        assert back.last("welcome")["state"] == "here"
        await minister.say("end")
        stage.book.others["m3"] = MeetingInfo("m3", "ended", PEOPLE)
        await node.sync("m3")
        assert not node.full
        assert (await stage.join("", token=stage.token("minister", "m2"))).all("welcome")

    play(scene)


def test_a_meeting_that_was_given_to_another_node_is_let_go_and_its_people_sent_there(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        stage.another(address="http://a:1")
        stage.book.change(node="http://a:1")
        minister, sara = await stage.couple()
        await stage.node.sync("m1")
        assert minister.reason is None
        stage.book.change(node="http://b:1")
        back = await stage.join("sara", resume=sara.last("welcome")["resume"])
        assert minister.reason == back.reason == "moved"
        assert stage.sinks[0].closed
        assert (await stage.join("sara")).reason == "moved"
        stage.book.change(node="http://a:1")
        assert (await stage.join("sara")).last("welcome")["state"] == "here"

    play(scene)


def test_how_a_leg_fared_is_told_each_half_minute_and_when_it_ends(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        _, sara = await stage.couple()
        began = stage.now
        leg = FakeLeg.made[-1]
        leg.bytes_in = 1000
        await stage.pass_time(29)
        assert stage.book.fared == []
        await stage.pass_time(2)
        kept = dict(stage.book.fared)
        assert set(kept) == {"minister", "sara"} and not kept["sara"].over
        assert kept["sara"].began_at == began and kept["sara"].bytes_in == 1000
        await sara.drop()
        leg.fail()
        await settle()
        last = stage.book.fared[-1]
        assert last[0] == "sara" and last[1].over and last[1].link_drops == 1 and last[1].began_at == began
        before = len(stage.book.fared)
        await stage.pass_time(60)
        assert {who for who, _ in stage.book.fared[before:]} == {"minister"}

    play(scene)


def test_a_meeting_that_went_live_while_the_directory_was_out_of_reach_is_told_as_live_before_its_end(
    play: Play,
) -> None:
    async def scene(stage: Stage) -> None:
        stage.book.change(admitted=frozenset({"sara"}))
        minister, sara = await stage.join("minister"), await stage.join("sara")
        await minister.answer()
        stage.book.broken = True
        await sara.answer()
        await settle()
        live_at = stage.now
        assert stage.room.live and "went_live" not in stage.book.names()
        await sara.say("leave")
        stage.now += 20
        await stage.node.sync("m1")
        stage.book.broken = False
        assert stage.book.names() == ["joined", "joined"]
        await stage.node.sync("m1")
        await settle()
        assert stage.book.told[2:] == [("went_live", "m1", live_at), ("left", "m1", "sara", live_at)]

    play(scene)


def test_the_end_waits_for_what_comes_before_it(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        may_write, fails = asyncio.Event(), [OSError("locked")]

        async def went_live(*arguments: Any) -> None:
            if fails:
                raise fails.pop()
            await may_write.wait()
            stage.book.told.append(("went_live", *arguments, stage.book.info.state))

        stage.book.went_live = went_live  # type: ignore[attr-defined]
        minister, _ = await stage.couple()
        assert stage.room.live and not fails
        await minister.say("end")
        assert stage.book.info.state == "open" and minister.reason is None
        may_write.set()
        await settle()
        assert stage.book.told[2][0] == "went_live" and stage.book.told[2][-1] == "open"
        assert stage.book.info.state == "ended" and minister.reason == "ended"

    play(scene)


def test_a_resume_on_its_way_gives_way_to_the_device_that_came_in_by_a_token(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        _, sara = await stage.couple()
        old = sara.last("welcome")["resume"]
        await sara.drop()
        may_read, read = asyncio.Event(), stage.book.meeting

        async def slowly(meeting_id: str) -> MeetingInfo | None:
            await may_read.wait()
            return await read(meeting_id)

        stage.book.meeting = slowly  # type: ignore[method-assign]
        device, tab = await stage.join("sara"), await stage.join("sara", resume=old)
        may_read.set()
        await settle()
        assert device.reason is None and device.last("welcome")["participant"] == "sara"
        assert tab.reason == "taken_over" and not tab.all("welcome"), "else it would come back by a token and take over"
        assert stage.room.members["sara"].link is not None
        again = await stage.join("sara", resume=device.last("welcome")["resume"])
        assert again.all("welcome") and device.reason == "taken_over"

    play(scene)
