"""Who gets in, and what reaches whom, packet by packet: participants without a browser whose datagrams are counted."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.media.conftest import Rig, running_rig
from tests.media.raw import Raw
from tests.media.rig import SECRET
from video.media.tokens import JoinClaims, mint

pytestmark = pytest.mark.real
MANY = 50
Join = Callable[..., Raw]


@pytest.fixture
def join(rig: Rig) -> Iterator[Join]:
    """`join(token=…)` or `join(resume=…)`; everybody leaves at the end."""
    opened: list[Raw] = []

    def open_raw(**how: Any) -> Raw:
        opened.append(Raw(rig.base + "/media/ws", **how))
        return opened[-1]

    yield open_raw
    for one in opened:
        one.leave()


@pytest.fixture
def pair(rig: Rig, meeting: str, join: Join) -> tuple[Raw, Raw]:
    """The minister and Sara, sending to each other."""
    rig.meeting(meeting, admitted=["sara"])
    both = join(token=rig.token(meeting, "minister")), join(token=rig.token(meeting, "sara"))
    for one in both:
        one.until(lambda one: one.packets > MANY)
    return both


def claims(meeting: str, who: str, role: str, **more: Any) -> str:
    return mint(SECRET, JoinClaims(meeting, who, role, "س", "S", **more), now=time.time())  # type: ignore[arg-type]


def recorded(rig: Rig, meeting: str, who: str) -> int:
    tracks = [track for one in rig.journals(meeting) for track in one["tracks"].values()]
    return sum(track["rtp"] for track in tracks if track["participant"] == who)


def test_in_the_lobby_there_is_no_way_to_the_node_and_no_word_about_who_is_in(
    rig: Rig, meeting: str, pair: tuple[Raw, Raw], join: Join
) -> None:
    signer = join(token=rig.token(meeting, "signer"))
    signer.until(lambda one: one.said("lobby"))
    minister, _ = pair
    leg = minister.said("offer")[-1]["leg"]
    wishes: list[tuple[str, dict[str, Any]]] = [
        ("answer", {"leg": leg, "sdp": minister.answer}), ("renew", {"leg": leg}), ("admit", {"participant": "signer"}),
        ("mark", {"kind": "order", "data": {}}), ("text", {"line": 0, "text": "x", "final": True}), ("end", {}),
        ("media", {"audio": True, "video": True}),
    ]  # fmt: skip
    for kind, values in wishes:
        signer.say(kind, **values)
    signer.until(lambda one: len(one.said("refused")) == len(wishes))
    signer.say("ping", t=1)
    signer.until(lambda one: one.said("pong"))
    assert {one["why"] for one in signer.said("refused")} == {"in_lobby"}
    assert {one["type"] for one in signer.messages} == {"welcome", "lobby", "refused", "pong"}
    text = json.dumps(signer.messages)
    assert "candidate" not in text and "ice-pwd" not in text and "minister" not in text
    assert signer.peer is None and minister.said("text") == []
    assert minister.closed is None and minister.peer is not None and minister.peer.state == "up"


def test_after_removal_not_one_packet_passes_in_either_direction(rig: Rig, meeting: str, pair: tuple[Raw, Raw]) -> None:
    minister, sara = pair
    rig.meeting(meeting, removed=["sara"])
    rig.sync(meeting)
    got, given, kept = sara.packets, minister.packets, recorded(rig, meeting, "sara")
    assert sara.ends() == "removed"
    sent = sara.peer.sent_in_all if sara.peer else 0
    time.sleep(1.5)  # both go on sending
    assert sara.peer is not None and sara.peer.sent_in_all > sent + MANY, "the removed one did not even try"
    assert (sara.packets, minister.packets) == (got, given)
    assert recorded(rig, meeting, "sara") == kept


def test_who_is_put_back_into_the_lobby_or_whose_meeting_ends_gets_nothing_more(
    rig: Rig, meeting: str, pair: tuple[Raw, Raw]
) -> None:
    minister, sara = pair
    rig.meeting(meeting, admitted=[])
    rig.sync(meeting)
    got, given = sara.packets, minister.packets
    sara.until(lambda one: one.said("lobby"))
    time.sleep(0.7)
    assert (sara.packets, minister.packets) == (got, given)
    minister.say("end")
    assert minister.ends() == sara.ends() == "ended"


@pytest.mark.parametrize(
    ("who", "role", "reason"),
    [
        ("sara", "official", "not_invited"),
        ("sara", "aide", "not_invited"),
        ("stranger", "visitor", "not_invited"),
        ("minister", "visitor", "not_invited"),
        ("sara", "king", "bad_token"),
    ],
)
def test_a_token_is_not_believed_about_who_one_is(
    rig: Rig, meeting: str, join: Join, who: str, role: str, reason: str
) -> None:
    one = join(token=claims(meeting, who, role))
    assert one.ends() == reason and [said["type"] for said in one.messages] == ["close"]


def test_an_expired_a_replayed_a_changed_and_another_meeting_s_token_open_nothing(
    rig: Rig, meeting: str, join: Join
) -> None:
    rig.meeting(meeting, admitted=["sara"], people=["minister", "sara"])
    other = meeting + "-other"
    rig.meeting(other, state="open", people=["minister", "aide"])
    good = rig.token(meeting, "sara")
    payload, _, signature = good.partition(".")
    values = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    def changed(**more: Any) -> str:
        text = json.dumps({**values, **more}, ensure_ascii=False, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode() + "." + signature

    bad = {
        claims(meeting, "sara", "visitor", exp=time.time() - 1): "expired_token",
        changed(participant_id="minister", role="official"): "bad_token",
        changed(exp=values["exp"] + 3600): "bad_token",
        changed(meeting_id=other): "bad_token",
        rig.token(other, "sara"): "not_invited",
        rig.token("nowhere", "sara"): "no_meeting",
    }
    for token, reason in bad.items():
        assert join(token=token).ends() == reason
    assert join(token=good).until(lambda one: one.said("welcome"))
    assert join(token=good).ends() == "used_token"
    assert join(resume=f"{meeting}:sara:guessed").ends() == "bad_resume"


def test_a_stolen_token_that_was_used_first_is_taken_back_with_a_fresh_one(
    rig: Rig, meeting: str, pair: tuple[Raw, Raw], join: Join
) -> None:
    """The thief is in for as long as the owner doesn't come; the owner's next token ends it for good."""
    _, sara = pair
    sara.leave()
    stolen = rig.token(meeting, "sara")
    thief = join(token=stolen)
    thief.until(lambda one: one.packets > 0)
    assert join(token=stolen).ends() == "used_token"
    owner = join(token=rig.token(meeting, "sara"))
    owner.until(lambda one: one.said("welcome"))
    got = thief.packets
    assert thief.ends() == "taken_over"
    owner.until(lambda one: one.packets > MANY)
    assert thief.packets == got
    assert join(resume=thief.resume).ends() == "bad_resume"
    assert owner.closed is None


def test_a_stolen_secret_for_coming_back_is_worth_nothing_after_takeover_removal_and_end(
    rig: Rig, meeting: str, pair: tuple[Raw, Raw], join: Join
) -> None:
    _, sara = pair
    stolen = sara.resume
    second = join(token=rig.token(meeting, "sara"))
    second.until(lambda one: one.said("welcome"))
    assert sara.ends() == "taken_over"
    assert join(resume=stolen).ends() == "bad_resume"
    assert join(resume=stolen.replace(":sara:", ":minister:")).ends() == "bad_resume"
    other = meeting + "-other"
    rig.meeting(other, state="open", admitted=["sara"])
    assert join(resume=second.resume.replace(meeting, other)).ends() == "bad_resume"
    rig.meeting(meeting, removed=["sara"])
    assert join(resume=second.resume).ends() in ("removed", "bad_resume")
    assert second.ends() == "removed"
    assert join(token=rig.token(meeting, "sara")).ends() == "removed"


def test_a_leg_of_another_cannot_be_kept_or_answered(rig: Rig, meeting: str, pair: tuple[Raw, Raw], join: Join) -> None:
    """Coming back with another person's leg names nothing; answering it changes nothing."""
    minister, sara = pair
    back = join(resume=sara.resume, leg="minister/1")
    welcome = back.until(lambda one: one.said("welcome"))[-1]
    assert welcome["leg"] is None and sara.ends() == "taken_over"
    back.say("answer", leg="minister/1", sdp=back.answer)
    back.say("renew", leg="minister/1")
    before = minister.packets
    minister.until(lambda one: one.packets > before + MANY)
    assert minister.said("offer")[-1]["leg"] == "minister/1"


def test_no_key_no_secret_and_no_token_is_ever_written_to_a_log(tmp_path: Path) -> None:
    """A whole call with everything told that any library has to tell."""
    log = tmp_path / "debug.log"
    with running_rig("--log", str(log)) as rig:
        rig.meeting("m1", state="open", admitted=["sara"])
        tokens = {who: rig.token("m1", who) for who in ("minister", "sara")}
        people = [Raw(rig.base + "/media/ws", token=token) for token in tokens.values()]
        for one in people:
            one.until(lambda one: one.packets > MANY)
        resume = people[1].resume
        again = Raw(rig.base + "/media/ws", resume=resume)
        again.until(lambda one: one.packets > MANY)
        refused = Raw(rig.base + "/media/ws", token=tokens["sara"])
        assert refused.ends() == "used_token"
        everybody = [*people, again, refused]
        for one in everybody:
            one.leave()
    text = log.read_text()
    assert "DEBUG" in text and len(text) > 2000, "nothing was logged: the test proves nothing"
    secrets = {**tokens, "resume": resume, "its secret half": resume.rpartition(":")[2], "of tokens": SECRET.decode()}
    for one in (*people, again):
        assert one.peer is not None and len(one.peer.keys) == 2
        secrets |= {
            f"ICE password of {one.peer.name}'s client": one.peer.password,
            f"ICE password of {one.peer.name}": next(
                line.partition(":")[2] for line in one.offer.splitlines() if line.startswith("a=ice-pwd:")
            ),
        }
        for number, key in enumerate(one.peer.keys):
            secrets |= {
                f"key {number} of {one.peer.name} in hex": key.hex(),
                f"key {number} of {one.peer.name} in base64": base64.b64encode(key).decode().rstrip("="),
                f"key {number} of {one.peer.name} as Python shows bytes": repr(key)[2:-1],
            }
    assert [name for name, secret in secrets.items() if secret in text] == []
