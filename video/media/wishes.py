"""What a joined client may say, one function a message (docs/protocols/meeting.md, "From the client")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from video.media import connecting, messages, sdp
from video.media.conversation import Said
from video.media.directory import Refused
from video.media.member import Member
from video.media.messages import CloseReason, Closing
from video.media.room import Room

Message = dict[str, Any]
WRITER_LONGEST = 32


async def handle(room: Room, member: Member, message: Message, sync: Callable[[], Awaitable[None]]) -> None:
    """Carries a message out; a `Refused` wish is answered, misuse raises `Closing`.

    Someone in the lobby may keep the connection alive and leave, nothing else.
    """
    kind = message["type"]
    if kind == "ping":
        _reply(member, "pong", t=messages.time_of(message))
    elif kind == "leave":
        raise Closing(CloseReason.LEFT)
    elif not member.admitted:
        _reply(member, "refused", what=kind[:32], why="in_lobby")
    else:
        wish = WISHES.get(kind)
        if wish is None:
            _reply(member, "refused", what=kind[:32], why="unknown")
            return
        try:
            await wish(room, member, message, sync)
        except Refused as refused:
            _reply(member, "refused", what=kind, why=str(refused.reason))


async def _answer(room: Room, member: Member, message: Message, sync: Any) -> None:
    room.answer(member, messages.text_of(message, "leg"), messages.text_of(message, "sdp", sdp.LONGEST))


async def _renew(room: Room, member: Member, message: Message, sync: Any) -> None:
    connecting.renew(room, member, messages.text_of(message, "leg"))


async def _admit(room: Room, member: Member, message: Message, sync: Any) -> None:
    await room.admit(member, messages.text_of(message, "participant", 200))
    await sync()


async def _end(room: Room, member: Member, message: Message, sync: Any) -> None:
    await room.end(member)
    await sync()


async def _media(room: Room, member: Member, message: Message, sync: Any) -> None:
    member.audio, member.video = messages.flag_of(message, "audio"), messages.flag_of(message, "video")
    member.held = message.get("held") is True
    shown = {"audio": member.audio, "video": member.video, "held": member.held}
    room.note("media", {"participant": member.id, **shown})
    room.notices.presence()


async def _text(room: Room, member: Member, message: Message, sync: Any) -> None:
    line, text = messages.number_of(message, "line"), messages.text_of(message, "text")
    final = messages.flag_of(message, "final")
    if "writer" in message:
        writer, number = messages.text_of(message, "writer", WRITER_LONGEST), messages.number_of(message, "number")
        is_new = room.conversation.is_new(member.id, writer, number)
        _reply(member, "taken", number=number)
        if not is_new:
            return
    others = room.notices.others(member)
    said = room.conversation.say(member.id, line, text, final=final, to={other.id for other in others})
    for other in others:
        _tell(other, said)
    if final and text:
        room.note("text", {"participant": member.id, "line": line, "text": text})


def catch_up(room: Room, member: Member, heard: object) -> None:
    """Tells who comes back what was written meanwhile; `heard`: the number of the last text that arrived."""
    if member.admitted and isinstance(heard, int) and not isinstance(heard, bool):
        for said in room.conversation.after(heard, member.id):
            _tell(member, said)


def _tell(member: Member, said: Said) -> None:
    if member.link is not None:
        member.link.send(
            "text",
            participant=said.participant,
            line=said.line,
            text=said.text,
            final=said.final,
            number=said.number,
        )


async def _mark(room: Room, member: Member, message: Message, sync: Any) -> None:
    kind, data = messages.mark_of(message)
    ref = messages.ref_of(message)
    at = room.mark(member, kind, data)
    for other in [member, *room.notices.others(member)]:
        if other.host and other.link is not None:
            other.link.send("marked", kind=kind, at=at, by=member.id, ref=ref)


def _reply(member: Member, kind: str, /, **values: Any) -> None:
    if member.link is not None:
        member.link.send(kind, **values)


WISHES: dict[str, Callable[[Room, Member, Message, Any], Awaitable[None]]] = {
    "answer": _answer,
    "renew": _renew,
    "admit": _admit,
    "end": _end,
    "media": _media,
    "text": _text,
    "mark": _mark,
}
