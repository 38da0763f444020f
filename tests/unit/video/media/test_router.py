"""The router with hand-made packets: who gets what, under which identity, and what goes back."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.video.media.conftest import make_rtp
from video.media import rtcp, rtp, twcc
from video.media.router import Endpoint, Router
from video.media.rtcp import Block
from video.media.sdp import SlotStreams

Make = Callable[..., bytes]
SLOTS = tuple(SlotStreams(audio=100 * n + 1, video=100 * n + 2, rtx=100 * n + 3) for n in (1, 2, 3))


class Tape:
    def __init__(self) -> None:
        self.written: list[tuple[str, str, str, bytes]] = []
        self.reports: list[tuple[str, bytes]] = []

    def write(self, leg: str, participant_id: str, kind: str, packet: bytes, now: float) -> None:
        self.written.append((leg, participant_id, kind, packet))

    def report(self, leg: str, packet: bytes, *, now: float) -> None:
        self.reports.append((leg, packet))

    def hand_over(self) -> None:
        return None


class Hall:
    """A router with people in it; `seat` says who sees whom, `hall["sara"]` is an endpoint."""

    def __init__(self, outlets: Callable[[], Any], people: list[str]) -> None:
        self.tape = Tape()
        self.router = Router(self.tape, monotonic=lambda: 0.0)
        self.outlets: dict[str, Any] = {}
        self.legs: dict[str, int] = {}
        self._make_outlet = outlets
        for who in people:
            self.join(who, people)
        self.router.flow(True)

    def join(self, who: str, people: list[str]) -> Endpoint:
        self.outlets[who] = self._make_outlet()
        self.legs[who] = self.legs.get(who, 0) + 1
        seats = dict(enumerate(one for one in people if one != who))
        return self.router.add(f"{who}/{self.legs[who]}", who, self.outlets[who], SLOTS, seats)

    def __getitem__(self, who: str) -> Endpoint:
        return self.router.endpoints[who]

    def sent(self, who: str, ssrc: int) -> list[bytes]:
        return [packet for packet, under in self.outlets[who].rtp if under == ssrc]

    def feedback(self, who: str, kind: int, form: int | None = None) -> list[bytes]:
        return [
            packet
            for compound in self.outlets[who].rtcp
            for found, count, packet in rtcp.walk(compound)
            if found == kind and form in (None, count)
        ]


@pytest.fixture
def two(outlets: Callable[[], Any]) -> Hall:
    return Hall(outlets, ["minister", "sara"])


@pytest.fixture
def three(outlets: Callable[[], Any]) -> Hall:
    return Hall(outlets, ["minister", "sara", "signer"])


VIDEO, AUDIO, RTX = 102, 101, 103


def test_a_packet_reaches_the_other_under_the_slot_s_identity_and_nobody_else(three: Hall, packet: Make) -> None:
    three["sara"].on_rtp(packet(5, ssrc=0xA1, stamp=77), 0.0)
    (seen,) = three.sent("minister", VIDEO)
    assert (rtp.sequence(seen), rtp.timestamp(seen)) == (5, 77)
    assert len(three.sent("signer", 202)) == 1
    assert three.outlets["sara"].rtp == []


def test_nothing_is_forwarded_or_recorded_before_the_meeting_flows(two: Hall, packet: Make) -> None:
    two.router.flow(False)
    for number in range(5):
        two["sara"].on_rtp(packet(number), 0.0)
        two["sara"].on_rtp(packet(number, kind=rtp.OPUS, ssrc=0xA2), 0.0)
    assert two.outlets["minister"].rtp == [] and two.tape.written == []
    two.router.flow(True)
    two["sara"].tick(now=1.0)
    assert len(two.feedback("sara", rtcp.PSFB, rtcp.PLI)) == 1
    two["sara"].on_rtp(packet(6), 1.0)
    assert len(two.outlets["minister"].rtp) == 1


def test_unknown_payload_types_go_nowhere(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(1, kind=100), 0.0)
    assert two.outlets["minister"].rtp == [] and two.tape.written == []


@pytest.mark.parametrize("kind", [rtp.VP8, rtp.OPUS])
def test_a_stream_without_a_name_goes_nowhere_as_it_could_not_be_recorded(two: Hall, packet: Make, kind: int) -> None:
    """0 stands for no stream yet."""
    for number in (0, 1, 2, 0xFFFE, 0xFFFF, 0):
        two["sara"].on_rtp(packet(number, kind=kind, ssrc=0), 1.0)
    assert two.outlets["minister"].rtp == two.outlets["sara"].rtcp == two.tape.written == []
    for number, ssrc in ((7, 0xA1), (8, 0), (8, 0xA1)):
        two["sara"].on_rtp(packet(number, kind=kind, ssrc=ssrc), 2.0)
    assert [rtp.sequence(sent) for sent, _ in two.outlets["minister"].rtp] == [7, 8]
    assert {entry[0] for entry in two.tape.written} == {"sara/1/video" if kind == rtp.VP8 else "sara/1/audio"}


def test_everything_forwarded_is_recorded_under_its_leg(two: Hall, packet: Make) -> None:
    video, audio = packet(1), packet(1, kind=rtp.OPUS, ssrc=0xA2)
    two["sara"].on_rtp(video, 0.0)
    two["sara"].on_rtp(audio, 0.0)
    assert two.tape.written == [
        ("sara/1/video", "sara", "video", video),
        ("sara/1/audio", "sara", "audio", audio),
    ]


def test_a_publisher_who_comes_back_is_one_unbroken_stream(two: Hall, packet: Make) -> None:
    for number in (65534, 65535):
        two["sara"].on_rtp(packet(number, ssrc=0xA1, stamp=9000), 10.0)
    two.router.remove("sara")
    two.join("sara", ["minister", "sara"])
    two["sara"].on_rtp(packet(300, ssrc=0xA9, stamp=5), 12.0)
    two["sara"].on_rtp(packet(301, ssrc=0xA9, stamp=5 + 3000), 12.03)
    seen = two.sent("minister", VIDEO)
    assert [rtp.sequence(one) for one in seen] == [32766, 32767, 32768, 32769], (
        "no stream begins where numbers go round"
    )
    assert [rtp.timestamp(one) for one in seen] == [9000, 9000, 9000 + 2 * 90_000, 9000 + 2 * 90_000 + 3000]
    assert two.tape.written[-1][0] == "sara/2/video"


def test_a_sender_swapped_in_mid_leg_is_followed_and_recorded_as_another_track(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(10, ssrc=0xA1, stamp=1000), 1.0)
    two["sara"].on_rtp(packet(900, ssrc=0xA7, stamp=7), 1.1)
    assert [rtp.sequence(one) for one in two.sent("minister", VIDEO)] == [10, 11]
    assert [entry[0] for entry in two.tape.written] == ["sara/1/video", "sara/1/video.2"]


def test_a_gap_is_asked_for_at_once_again_until_it_comes_and_then_never(two: Hall, packet: Make) -> None:
    for number in (1, 2, 5):
        two["sara"].on_rtp(packet(number), 0.0)
    asked = two.feedback("sara", rtcp.RTPFB, rtcp.NACK)
    assert [list(rtcp.nacked(one)) for one in asked] == [[3, 4]]
    two["sara"].tick(now=0.05)
    assert len(two.feedback("sara", rtcp.RTPFB, rtcp.NACK)) == 1
    two["sara"].on_rtp(packet(3), 0.08)
    two["sara"].tick(now=0.11)
    assert list(rtcp.nacked(two.feedback("sara", rtcp.RTPFB, rtcp.NACK)[1])) == [4]
    two["sara"].on_rtp(packet(4), 0.15)
    two["sara"].tick(now=0.5)
    assert len(two.feedback("sara", rtcp.RTPFB, rtcp.NACK)) == 2


def test_what_never_comes_is_given_up_for_a_key_frame(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(1), 0.0)
    two["sara"].tick(now=0.0)
    before = len(two.feedback("sara", rtcp.PSFB, rtcp.PLI))
    two["sara"].on_rtp(packet(3), 0.0)
    for step in range(1, 80):
        two["sara"].tick(now=step * 0.05)
    assert len(two.feedback("sara", rtcp.RTPFB, rtcp.NACK)) == 10
    assert len(two.feedback("sara", rtcp.PSFB, rtcp.PLI)) == before + 1


def test_sound_is_asked_for_again_too_for_the_record_but_never_for_a_key_frame(two: Hall, packet: Make) -> None:
    for number in (1, 5):
        two["sara"].on_rtp(packet(number, kind=rtp.OPUS), 0.0)
    for step in range(1, 80):
        two["sara"].tick(now=step * 0.05)
    asked = [list(rtcp.nacked(one)) for one in two.feedback("sara", rtcp.RTPFB, rtcp.NACK)]
    assert asked[0] == [2, 3, 4] and len(asked) == 10
    assert two.feedback("sara", rtcp.PSFB, rtcp.PLI) == [] and two["sara"].audio.unfilled == 0


def test_sound_that_comes_late_is_recorded_and_passed_on(two: Hall, packet: Make) -> None:
    for number in (1, 3, 2):
        two["sara"].on_rtp(packet(number, kind=rtp.OPUS), 0.0)
    assert [rtp.sequence(one) for one in two.sent("minister", AUDIO)] == [1, 3, 2]
    assert [entry[0] for entry in two.tape.written] == ["sara/1/audio"] * 3
    assert two["sara"].audio.repaired == 1


def test_a_retransmission_that_fills_a_gap_becomes_the_packet_itself(two: Hall, packet: Make) -> None:
    for number in (1, 3):
        two["sara"].on_rtp(packet(number, ssrc=0xA1), 0.0)
    lost = packet(2, ssrc=0xA1, body=b"\x00lost one")
    wrapped = rtp.wrap_rtx(lost, 2, 900, 0xA2, rtp.VP8_RTX)
    two["sara"].on_rtp(wrapped, 0.05)
    assert [rtp.sequence(one) for one in two.sent("minister", VIDEO)] == [1, 3, 2]
    assert two.sent("minister", RTX) == []
    assert two.tape.written[-1][3] == lost


def again(packet: bytes, number: int) -> bytes:
    """The publisher's retransmission of a packet: counted anew, so that its header is another one."""
    counted = rtp.with_transport_sequence(packet, 0x7777)
    return rtp.wrap_rtx(counted, rtp.sequence(packet), number, 0xA2, rtp.VP8_RTX) or b""


@pytest.mark.parametrize("after", [0, 600], ids=["soon", "when the cache has forgotten it"])
def test_the_packet_itself_is_one_too_many_after_its_retransmission(two: Hall, packet: Make, after: int) -> None:
    """Other bytes under a number that was sent: with AES-GCM the two give away what authenticates the stream."""
    sent = {number: packet(number, ssrc=0xA1, transport=number) for number in range(610)}
    late = {2, 3} if not after else {2, 3, 515}
    for number in [number for number in range(1, 6 + after) if number not in late]:
        two["sara"].on_rtp(sent[number], 1.0)
    for number in sorted(late, reverse=True):
        two["sara"].on_rtp(again(sent[number], 900 + number), 1.1)
    said, taped, kept = list(two.sent("minister", VIDEO)), list(two.tape.written), list(two["sara"].video.cache or [])
    assert len(said) == len(taped) == 5 + after
    for number in late:
        two["sara"].on_rtp(sent[number], 1.2)
    assert (two.sent("minister", VIDEO), two.tape.written, two["sara"].video.cache) == (said, taped, kept)


@settings(max_examples=60)
@given(st.permutations([(number, form) for number in range(1, 9) for form in ("itself", "again")]), st.booleans())
def test_no_number_is_sent_or_recorded_twice_in_whatever_order_packets_and_retransmissions_come(
    outlets_for_properties: Callable[[], Any], order: list[tuple[int, str]], joint: bool
) -> None:
    hall = Hall(outlets_for_properties, ["minister", "sara"])
    if joint:
        hall["sara"].on_rtp(make_rtp(7, ssrc=0xA0), 0.5)
        hall.join("sara", ["minister", "sara"])
    for index, (number, form) in enumerate([(0, "itself"), *order]):
        made = make_rtp(number - 4, ssrc=0xA1, transport=number)
        hall["sara"].on_rtp(made if form == "itself" else again(made, index), 1.0)
    numbers = [rtp.sequence(sent) for sent in hall.sent("minister", VIDEO)]
    assert len(set(numbers)) == len(numbers)
    taped = [rtp.sequence(entry[3]) for entry in hall.tape.written if entry[0] == f"sara/{hall.legs['sara']}/video"]
    assert sorted((number + 4) & 0xFFFF for number in taped) == list(range(9))


def test_probing_passes_on_in_a_call_of_two_so_that_it_is_accounted_for(two: Hall, packet: Make) -> None:
    made = packet(1, ssrc=0xA1, transport=40)
    two["sara"].on_rtp(made, 0.0)
    probe = rtp.wrap_rtx(packet(1, ssrc=0xA1, transport=41), 1, 900, 0xA2, rtp.VP8_RTX)
    two["sara"].on_rtp(probe, 0.0)
    (seen,) = two.sent("minister", RTX)
    assert rtp.transport_sequence(seen) == 41
    assert len(two.tape.written) == 1


def test_what_a_receiver_missed_comes_from_the_cache_under_a_new_number(two: Hall, packet: Make) -> None:
    originals = [packet(number, ssrc=0xA1, transport=number) for number in range(10)]
    for one in originals:
        two["sara"].on_rtp(one, 0.0)
    two["minister"].on_rtcp(rtcp.nack(VIDEO, [3, 7]), 0.1)
    repaired = two.sent("minister", RTX)
    assert [rtp.sequence(rtp.unwrap_rtx(one, VIDEO, rtp.VP8)) for one in repaired] == [3, 7]
    assert len({rtp.sequence(one) for one in repaired}) == 2
    assert all(rtp.transport_sequence(one) == -1 for one in repaired)
    assert two.feedback("sara", rtcp.RTPFB, rtcp.NACK) == []


def test_sound_is_sent_again_bit_for_bit_as_it_was_whatever_has_changed_since(three: Hall, packet: Make) -> None:
    """Two different packets under one number would betray each other's cipher; here the node numbers by itself."""
    for number in range(100):
        three["sara"].on_rtp(packet(number, kind=rtp.OPUS, transport=500 + number, body=b"%d" % number), 0.0)
    before = three.sent("minister", AUDIO)
    three["minister"].on_rtcp(rtcp.nack(AUDIO, [60, 99, 36, 35, 100]), 0.1)
    three["minister"].on_rtcp(rtcp.nack(AUDIO, [60]), 0.2)
    again = three.sent("minister", AUDIO)[len(before) :]
    assert again == [before[60], before[99], before[36], before[60]], "35 is too old, 100 never was"
    assert three.sent("minister", RTX) == []


def test_sound_too_old_for_the_ear_is_recorded_and_not_sent(two: Hall, packet: Make) -> None:
    for number in (1, 2, 4, 11):
        two["sara"].on_rtp(packet(number, kind=rtp.OPUS, stamp=number * 960), 0.0)
    for number in (3, 5):
        two["sara"].on_rtp(packet(number, kind=rtp.OPUS, stamp=number * 960), 0.3)
    assert [rtp.sequence(one) for one in two.sent("minister", AUDIO)] == [1, 2, 4, 11, 5]
    assert len(two.tape.written) == 6
    two["minister"].on_rtcp(rtcp.nack(AUDIO, [2, 4]), 0.3)
    assert [rtp.sequence(one) for one in two.sent("minister", AUDIO)][5:] == [4]


@pytest.mark.parametrize(("step", "lost"), [(300, 150), (3000, 20)], ids=["many", "long"])
def test_after_an_outage_a_receiver_gets_a_key_frame_nothing_old_and_what_is_missing_since(
    two: Hall, packet: Make, step: int, lost: int
) -> None:
    for number in range(300):
        two["sara"].on_rtp(packet(number, stamp=number * step), 0.0)
    two["sara"].tick(now=0.0)
    before = len(two.feedback("sara", rtcp.PSFB, rtcp.PLI))
    two["minister"].on_rtcp(rtcp.nack(VIDEO, [*range(50, 50 + lost), 280, 290]), 1.0)
    again = [rtp.unwrap_rtx(one, VIDEO, rtp.VP8) for one in two.sent("minister", RTX)]
    assert [rtp.sequence(one) for one in again if one] == [280, 290]
    assert len(two.feedback("sara", rtcp.PSFB, rtcp.PLI)) == before + 1


def test_a_burst_is_no_outage(two: Hall, packet: Make) -> None:
    for number in range(300):
        two["sara"].on_rtp(packet(number, stamp=number * 300), 0.0)
    before = len(two.feedback("sara", rtcp.PSFB, rtcp.PLI))
    two["minister"].on_rtcp(rtcp.nack(VIDEO, range(50, 130)), 1.0)
    assert len(two.sent("minister", RTX)) == 80
    assert len(two.feedback("sara", rtcp.PSFB, rtcp.PLI)) == before


def test_a_repair_after_a_rejoin_is_found_by_the_receiver_s_number(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(100, ssrc=0xA1, stamp=1), 0.0)
    two.join("sara", ["minister", "sara"])
    two["sara"].on_rtp(packet(5000, ssrc=0xA9, stamp=2), 1.0)
    two["minister"].on_rtcp(rtcp.nack(VIDEO, [101, 100]), 1.1)
    (repaired,) = two.sent("minister", RTX)
    plain = rtp.unwrap_rtx(repaired, VIDEO, rtp.VP8)
    assert rtp.sequence(plain) == 101
    assert rtp.timestamp(plain) == rtp.timestamp(two.sent("minister", VIDEO)[-1])


def test_a_flood_of_requests_is_answered_in_measure(two: Hall, packet: Make) -> None:
    for number in range(200):
        two["sara"].on_rtp(packet(number), 0.0)
    for _ in range(50):
        two["minister"].on_rtcp(rtcp.nack(VIDEO, range(200)), 0.5)
    assert len(two.sent("minister", RTX)) <= 300


def test_key_frames_are_asked_for_once_in_three_hundred_milliseconds(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(1), 0.0)
    for step in range(16):
        now = 5 + step / 16
        two["minister"].on_rtcp(rtcp.pli(VIDEO), now)
        two["sara"].tick(now=now)
    plis = two.feedback("sara", rtcp.PSFB, rtcp.PLI)
    assert len(plis) == 4
    assert rtcp.media_of(plis[0]) == 0xA0000001


def test_sender_reports_align_the_slot_and_the_recording(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(1, ssrc=0xA1, stamp=500), 0.0)
    report = struct.pack("!BBHIIIIII", 0x80, rtcp.SR, 6, 0xA1, 1, 2, 500, 3, 4)
    two["sara"].on_rtcp(report, 0.1)
    (seen,) = two.feedback("minister", rtcp.SR)
    assert rtcp.sender_of(seen) == VIDEO and seen[8:20] == report[8:20]
    assert two.tape.reports == [("sara/1/video", report)]


def test_in_a_call_of_two_reports_and_transport_feedback_go_to_the_publisher(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(1, ssrc=0xA1), 0.0)
    two["minister"].on_rtcp(rtcp.rr([Block(VIDEO, 5, 1, 7, 8, 9), Block(999, 1, 1, 1, 1, 1)]), 0.1)
    (report,) = two.feedback("sara", rtcp.RR)
    assert list(rtcp.blocks(rtcp.RR, 1, report)) == [Block(0xA1, 5, 1, 7, 8, 9)]
    feedback = twcc.write(VIDEO, 7, [1000, None, 3000], 0)
    two["minister"].on_rtcp(feedback, 0.2)
    (passed,) = two.feedback("sara", rtcp.RTPFB, rtcp.TWCC)
    assert rtcp.media_of(passed) == 0xA1 and passed[12:] == feedback[12:]


def test_with_three_each_publisher_is_answered_by_the_node(three: Hall, packet: Make) -> None:
    for index in range(20):
        three["sara"].on_rtp(packet(index, ssrc=0xA1, transport=index), index * 0.01)
    three["minister"].on_rtcp(twcc.write(VIDEO, 0, [1000] * 5, 0), 0.2)
    assert three.feedback("sara", rtcp.RTPFB, rtcp.TWCC) == []
    three["sara"].tick(now=2.0)
    (feedback,) = three.feedback("sara", rtcp.RTPFB, rtcp.TWCC)
    assert [report.number for report in twcc.read(feedback)] == list(range(20))
    (report,) = three.feedback("sara", rtcp.RR)
    (block,) = rtcp.blocks(rtcp.RR, 1, report)
    assert (block.ssrc, block.lost, block.highest) == (0xA1, 0, 19)


def test_the_count_goes_on_when_a_third_leaves_and_the_publisher_hears_of_it_in_its_own_numbers(
    three: Hall, packet: Make
) -> None:
    for number in range(100):
        three["sara"].on_rtp(packet(number, ssrc=0xA1, transport=5000 + number), 0.0)
        three["signer"].on_rtp(packet(number, ssrc=0xB1, transport=9 + number), 0.0)
    three.router.remove("signer")
    three["minister"].on_rtcp(twcc.write(VIDEO, 195, [1000] * 5, 0), 0.1)
    for number in range(100, 103):
        three["sara"].on_rtp(packet(number, ssrc=0xA1, transport=5000 + number), 0.1)
    seen = [rtp.transport_sequence(one) for one, _ in three.outlets["minister"].rtp]
    assert seen == list(range(203))
    assert three.feedback("sara", rtcp.RTPFB, rtcp.TWCC) == [], "the node's own numbers say nothing to her"
    three["minister"].on_rtcp(twcc.write(VIDEO, 200, [1000, 2000, 3000], 0), 0.2)
    (passed,) = three.feedback("sara", rtcp.RTPFB, rtcp.TWCC)
    assert [report.number for report in twcc.read(passed)] == [5100, 5101, 5102]


def test_with_three_each_receiver_has_a_count_of_its_own(three: Hall, packet: Make) -> None:
    three["sara"].on_rtp(packet(1, ssrc=0xA1, transport=5000), 0.0)
    three["signer"].on_rtp(packet(1, ssrc=0xB1, transport=9), 0.0)
    three["sara"].on_rtp(packet(2, ssrc=0xA1, transport=5001), 0.0)
    seen = [rtp.transport_sequence(one) for one, _ in three.outlets["minister"].rtp]
    assert seen == [0, 1, 2]


def test_the_weakest_receiver_caps_the_publisher_and_the_cap_is_lifted_for_two(three: Hall, packet: Make) -> None:
    three["sara"].on_rtp(packet(1, ssrc=0xA1, transport=1), 0.0)
    capacity = three["signer"].downlink.capacity
    assert capacity is not None
    capacity.cap = 400_000.0
    three.router.tick(now=2.0)
    (cap,) = three.feedback("sara", rtcp.PSFB, rtcp.APP)
    assert rtcp.remb_bitrate(cap) == pytest.approx(400_000, rel=0.01)
    three.router.remove("signer")
    lifted = three.feedback("sara", rtcp.PSFB, rtcp.APP)[-1]
    assert (rtcp.remb_bitrate(lifted) or 0) > 20_000_000


def lifts(hall: Hall, *, begins: float, ends: float) -> list[float]:
    """When sara is told that she is held no more."""
    told = []
    for tick in range(int(begins * 20), int(ends * 20)):
        before = len(caps(hall, "sara"))
        hall.router.tick(now=tick / 20)
        told += [tick / 20 for cap in caps(hall, "sara")[before:] if (cap or 0) > 20_000_000]
    return told


def test_that_a_cap_is_lifted_is_said_again_as_the_word_may_be_lost(three: Hall, packet: Make) -> None:
    """A REMB is in force until another one comes: a publisher that missed this one would stay at what a line of the
    past could take.
    """
    three["sara"].on_rtp(packet(1, ssrc=0xA1, transport=1), 0.0)
    narrow(three, "signer", 400_000.0, now=2.0)
    three.router.remove("signer")
    assert lifts(three, begins=2.0, ends=12.0) == [3.0, 4.0, 5.0, 6.0]
    three.join("signer", ["minister", "sara", "signer"])
    assert lifts(three, begins=12.0, ends=20.0) == [], "held again"


def test_whom_nothing_held_is_told_of_nothing(two: Hall, packet: Make) -> None:
    two["sara"].on_rtp(packet(1, ssrc=0xA1), 0.0)
    assert lifts(two, begins=1.0, ends=9.0) == [] and caps(two, "sara") == []


def test_someone_who_left_gets_nothing_more(three: Hall, packet: Make) -> None:
    three.router.remove("minister")
    three["sara"].on_rtp(packet(1), 0.0)
    assert three.outlets["minister"].rtp == []


def test_a_slot_keeps_its_person_while_they_are_away_and_a_newcomer_gets_another(three: Hall, packet: Make) -> None:
    three.router.remove("sara")
    three.router.seat(three["minister"], {0: "sara", 1: "signer"})
    three["signer"].on_rtp(packet(1, ssrc=0xB1), 0.0)
    assert len(three.sent("minister", 202)) == 1 and three.sent("minister", VIDEO) == []
    three.router.seat(three["minister"], {1: "signer"})
    three.join("sara", ["minister", "signer", "sara"])
    three["sara"].on_rtp(packet(1, ssrc=0xA1), 0.0)
    assert three.sent("minister", VIDEO) == []


def test_loss_is_laid_at_the_right_door(two: Hall, packet: Make) -> None:
    for number in range(200):
        if number % 5 != 3:
            two["sara"].on_rtp(packet(number, ssrc=0xA1), 0.0)
            two["minister"].on_rtp(packet(number, ssrc=0xB1), 0.0)
        else:
            two["minister"].on_rtp(packet(number, ssrc=0xB1), 0.0)
    two["minister"].on_rtcp(rtcp.rr([Block(VIDEO, 51 << 24, 199, 0, 0, 0)]), 1.0)
    two["sara"].on_rtcp(rtcp.rr([Block(VIDEO, 51 << 24, 199, 0, 0, 0)]), 1.0)
    for one in ("minister", "sara"):
        two[one].measure(now=2.0)
    assert two["sara"].uplink_loss == pytest.approx(0.2, abs=0.01) and two["minister"].uplink_loss == 0
    assert two["minister"].downlink_loss() == pytest.approx(0, abs=0.01)
    assert two["sara"].downlink_loss() == pytest.approx(0.2, abs=0.01)


KEYFRAME, DELTA = b"\x10\x00key", b"\x10\x01delta"


@pytest.fixture
def interpreted(outlets: Callable[[], Any]) -> Hall:
    hall = Hall(outlets, ["sara", "signer", "minister"])
    hall.router.roles = {"minister": "official", "sara": "visitor", "signer": "interpreter"}
    for number in (10, 11):
        hall["minister"].on_rtp(packet_of(number, 0xA1), 0.0)
        hall["signer"].on_rtp(packet_of(number, 0xB1), 0.0)
    return hall


def packet_of(number: int, ssrc: int, body: bytes = DELTA, kind: int = rtp.VP8) -> bytes:
    head = struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, number * 3000 & 0xFFFFFFFF, ssrc)
    return head + body


def narrow(hall: Hall, who: str, bits_per_second: float, *, now: float) -> None:
    capacity = hall[who].downlink.capacity
    assert capacity is not None
    capacity.cap = bits_per_second
    hall.router.tick(now=now)


def caps(hall: Hall, who: str) -> list[int | None]:
    return [rtcp.remb_bitrate(one) for one in hall.feedback(who, rtcp.PSFB, rtcp.APP)]


def test_a_thin_line_is_spared_the_official_s_picture_and_not_the_interpreter_s_nor_any_sound(
    interpreted: Hall,
) -> None:
    narrow(interpreted, "sara", 350_000, now=2.0)
    before = len(interpreted.outlets["sara"].rtp)
    interpreted["minister"].on_rtp(packet_of(12, 0xA1), 2.1)
    interpreted["signer"].on_rtp(packet_of(12, 0xB1), 2.1)
    interpreted["minister"].on_rtp(packet_of(12, 0xA2, kind=rtp.OPUS), 2.1)
    sent = [under for _, under in interpreted.outlets["sara"].rtp[before:]]
    assert sent == [102, 201], "the signer's picture and the minister's sound"
    assert len(interpreted.sent("signer", 202)) == 3, "the others see him as before"
    assert interpreted["sara"].shed.out == {"minister"}


def test_a_thin_line_holds_whom_it_shows_and_nobody_whom_it_is_spared(interpreted: Hall) -> None:
    narrow(interpreted, "sara", 350_000, now=2.0)
    assert caps(interpreted, "signer")[-1] == pytest.approx(305_000, rel=0.01)
    assert all((cap or 0) > 1_000_000 for cap in caps(interpreted, "minister"))


def test_a_picture_comes_back_with_a_key_frame_and_no_gap_that_would_be_asked_for(interpreted: Hall) -> None:
    minister = interpreted["minister"]
    narrow(interpreted, "sara", 350_000, now=2.0)
    for number in range(12, 40):
        minister.on_rtp(packet_of(number, 0xA1), 2.1)
    asked = len(interpreted.feedback("minister", rtcp.PSFB, rtcp.PLI))
    narrow(interpreted, "sara", 2_000_000, now=8.0)
    assert len(interpreted.feedback("minister", rtcp.PSFB, rtcp.PLI)) == asked + 1
    for number, body in ((40, DELTA), (42, KEYFRAME), (41, DELTA), (43, DELTA)):
        minister.on_rtp(packet_of(number, 0xA1, body), 8.1)
    seen = interpreted.sent("sara", 202)
    assert [rtp.sequence(one) for one in seen] == [10, 11, 12, 13], "41 has a number that was another packet's"
    assert [rtp.timestamp(one) for one in seen] == [30_000, 33_000, 42 * 3000, 43 * 3000]
    interpreted["sara"].on_rtcp(rtcp.nack(202, [11, 13]), 8.2)
    again = [rtp.unwrap_rtx(one, 202, rtp.VP8) for one in interpreted.sent("sara", 203)]
    assert [rtp.timestamp(one) for one in again if one] == [43 * 3000]


def plis(hall: Hall, who: str, *, begins: float, ends: float, body: bytes = DELTA) -> list[float]:
    """When a publisher that sends such packets is asked for a key frame."""
    asked = []
    for tick in range(round(begins * 20), round(ends * 20)):
        before = len(hall.feedback(who, rtcp.PSFB, rtcp.PLI))
        hall[who].on_rtp(packet_of(hall[who].video.highest + 1, 0xA1, body), tick / 20)
        hall.router.tick(now=tick / 20)
        asked += [tick / 20] * (len(hall.feedback(who, rtcp.PSFB, rtcp.PLI)) - before)
    return asked


def test_a_picture_that_comes_back_is_asked_for_until_its_key_frame_is_there(interpreted: Hall) -> None:
    """The receiver can't: it is sent nothing that it could lack. A lost request was a picture frozen for 10 s."""
    narrow(interpreted, "sara", 350_000, now=2.0)
    plis(interpreted, "minister", begins=2.05, ends=8.0)
    narrow(interpreted, "sara", 2_000_000, now=8.0)
    assert plis(interpreted, "minister", begins=8.05, ends=10.0) == [8.5, 9.0, 9.5]
    assert plis(interpreted, "minister", begins=10.0, ends=10.05, body=KEYFRAME) == []
    assert plis(interpreted, "minister", begins=10.05, ends=13.0) == []
    assert len(interpreted.sent("sara", 202)) == 2 + 60


def test_nobody_is_asked_for_a_key_frame_that_could_not_be_passed_on(interpreted: Hall) -> None:
    narrow(interpreted, "sara", 350_000, now=2.0)
    plis(interpreted, "minister", begins=2.05, ends=8.0)
    interpreted.router.flow(False)
    narrow(interpreted, "sara", 2_000_000, now=8.0)
    assert plis(interpreted, "minister", begins=8.05, ends=12.0) == []


def test_when_two_are_left_every_picture_flows(interpreted: Hall) -> None:
    narrow(interpreted, "sara", 100_000, now=2.0)
    assert interpreted["sara"].shed.out == {"minister", "signer"}
    interpreted.router.remove("signer")
    interpreted.router.tick(now=2.1)
    interpreted["minister"].on_rtp(packet_of(12, 0xA1, KEYFRAME), 2.2)
    assert len(interpreted.sent("sara", 202)) == 3
    assert (caps(interpreted, "minister")[-1] or 0) > 20_000_000


def test_repair_goes_on_after_numbers_have_gone_half_round(two: Hall, packet: Make) -> None:
    for number in range(40_000):
        two["sara"].on_rtp(packet(number), 0.0)
    two["minister"].on_rtcp(rtcp.nack(VIDEO, [39_990]), 1.0)
    assert len(two.sent("minister", RTX)) == 1


INCIDENTS = ["third", "back", "deaf", "heard", "shut", "opened"]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(INCIDENTS), max_size=8), st.integers(0, 0xFFFF))
def test_whoever_comes_goes_or_falls_silent_each_receiver_reads_one_unbroken_count(
    outlets_for_properties: Callable[[], Any], incidents: list[str], first: int
) -> None:
    """And what it tells of a packet reaches the publisher under the number the publisher gave it, or not at all."""
    hall, people = Hall(outlets_for_properties, ["minister", "sara"]), ["minister", "sara"]
    receiver, count = hall.outlets["minister"], {"sara": first, "signer": 7}
    came: list[tuple[str, int]] = []
    """What the minister was sent: on which leg it came up, and under which number."""
    for incident in ["", *incidents]:
        if incident == "third" and "signer" in people:
            people.remove("signer")
            hall.router.remove("signer")
        elif incident == "third":
            people.append("signer")
            hall.join("signer", people)
            hall.router.seat(hall["minister"], {0: "sara", 1: "signer"})
        elif incident == "back":
            count["sara"] = (count["sara"] * 31 + 999) & 0xFFFF
            hall.join("sara", people)
        elif incident in ("deaf", "heard"):
            hall["minister"].whole = incident == "heard"
            hall.router.flow(hall.router.flowing)
        elif incident:
            hall.router.flow(incident == "opened")
        for step in range(10):
            for who in people[1:]:
                leg, kind = f"{who}/{hall.legs[who]}", rtp.VP8 if step % 3 else rtp.OPUS
                made = make_rtp(count[who], kind=kind, ssrc=kind + hall.legs[who], transport=count[who])
                hall[who].on_rtp(made, 1.0)
                if len(receiver.rtp) > len(came):
                    came.append((leg, count[who]))
                count[who] = (count[who] + 1) & 0xFFFF
            if step in (0, 4, 9) and came:
                tell(hall, came, [rtp.transport_sequence(sent) for sent, _ in receiver.rtp][-6:])
    seen = [rtp.transport_sequence(sent) for sent, _ in receiver.rtp]
    assert seen == [(seen[0] + index) & 0xFFFF for index in range(len(seen))]


def tell(hall: Hall, came: list[tuple[str, int]], last: list[int]) -> None:
    """The minister tells of the last packets: what reaches the publisher must be about just these."""
    before = len(hall.outlets["sara"].rtcp)
    hall["minister"].on_rtcp(twcc.write(VIDEO, last[0], [1000] * len(last), 0), 1.0)
    for passed in hall.outlets["sara"].rtcp[before:]:
        told = [(f"sara/{hall.legs['sara']}", report.number) for report in twcc.read(passed)]
        assert told == came[-len(last) :]


wire = st.binary(min_size=12, max_size=100) | st.builds(
    lambda kind, rest: bytes([0x80, kind]) + rest,
    st.sampled_from([96, 97, 111, 224, 225, 239]),
    st.binary(min_size=10, max_size=100),
)
control = st.binary(max_size=100) | st.builds(
    lambda count, kind, rest: bytes([0x80 | count, kind]) + struct.pack("!H", len(rest) // 4) + rest,
    st.integers(0, 31),
    st.sampled_from([200, 201, 205, 206]),
    st.binary(min_size=4, max_size=100).map(lambda data: data[: len(data) // 4 * 4]),
)


@given(
    people=st.integers(2, 3),
    packets=st.lists(st.tuples(wire, control, st.sampled_from(["minister", "sara"])), max_size=12),
)
def test_nothing_from_the_wire_raises(
    outlets_for_properties: Callable[[], Any], people: int, packets: list[tuple[bytes, bytes, str]]
) -> None:
    hall = Hall(outlets_for_properties, ["minister", "sara", "signer"][:people])
    now = 0.0
    for media, report, who in packets:
        now += 0.2
        hall[who].on_rtp(media, now)
        hall[who].on_rtcp(report, now)
        hall.router.tick(now=now)
