"""The browser's rules about its line, run by Node as they are served."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

STATIC = Path(__file__).parents[4] / "web/static"
TEMPLATE = STATIC.parent / "templates/meeting/room.html"


def node() -> str:
    found = shutil.which("node")
    if found is None:
        driver = pytest.importorskip("playwright._impl._driver")
        found = str(driver.compute_driver_executable()[0])
    return found


def as_address(source: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()


def run(module: str, script: str, imports: Mapping[str, str] = MappingProxyType({})) -> Any:
    """What `script` (the body of an async function of `m`, the module) returns. `imports`: for each file that the
    module imports, what stands in for it.
    """
    source = (STATIC / module).read_text()
    for name, stand_in in imports.items():
        assert f'from "{name}"' in source
        source = source.replace(f'from "{name}"', f'from "{as_address(stand_in)}"')
    program = (
        f"const m = await import('{as_address(source)}');"
        f"console.log(JSON.stringify(await (async () => {{ {script} }})()));"
    )
    done = subprocess.run(
        [node(), "--input-type=module", "-e", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


STATS = """
  const stats = (at, more = {}) => new Map(Object.entries({
    pair: { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.04, availableOutgoingBitrate: 2e6,
      localCandidateId: "mine" },
    mine: { type: "local-candidate", candidateType: "relay", relayProtocol: "tcp" },
    hears: { type: "inbound-rtp", kind: "audio", mid: "2", packetsReceived: 50 * at, packetsLost: 0,
      bytesReceived: 6000 * at, jitter: 0.003 },
    sees: { type: "inbound-rtp", kind: "video", mid: "3", packetsReceived: 150 * at, packetsLost: 0,
      bytesReceived: 150000 * at, framesPerSecond: 30, frameWidth: 1280, frameHeight: 720 },
    sends: { type: "outbound-rtp", kind: "video", bytesSent: 100000 * at, framesSent: 25 * at, framesPerSecond: 25,
      frameWidth: 640, frameHeight: 360, qualityLimitationReason: "none" },
    told: { type: "remote-inbound-rtp", fractionLost: 0.01 },
  }).map(([id, entry]) => [id, { id, timestamp: 1000 * at, ...entry, ...more[id] }]));
"""


def test_the_numbers_of_a_reading_are_those_of_the_time_since_the_one_before() -> None:
    found = run(
        "meeting/quality.js",
        STATS + "const probe = new m.QualityProbe(); probe.read(stats(10)); return probe.read(stats(12));",
    )
    assert (found["up"], found["down"]) == (800_000, 8 * 156_000)
    assert found["sent"] == {"width": 640, "height": 360, "fps": 25}
    assert found["seen"] == {"3": {"width": 1280, "height": 720, "track": None, "fps": 30, "bitrate": 1_200_000}}
    assert (found["rtt"], found["available"], found["lossUp"], found["loss"]) == (0.04, 2e6, 0.01, 0)
    assert found["way"] == {"type": "relay", "protocol": "tcp"}
    assert (found["level"], found["why"]) == ("good", None)


def test_a_browser_that_tells_little_is_no_reason_for_alarm() -> None:
    found = run(
        "meeting/quality.js",
        "const probe = new m.QualityProbe(); probe.read(new Map());"
        "return probe.read(new Map([['x', { id: 'x', type: 'inbound-rtp', kind: 'video', timestamp: 5 }]]));",
    )
    assert (found["level"], found["rtt"], found["available"], found["seen"]) == ("good", None, None, {})


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        ("rtt: 0.51", "delay"),
        ("limited: 'cpu', sent: { fps: 9 }", "machine"),
        ("loss: 0.5, rtt: 0.5, limited: 'cpu', sent: { fps: 15 }", None),
        ("limited: 'bandwidth', sent: { fps: 9 }", None),
        ("rtt: 2, limited: 'cpu', sent: { fps: 1 }", "delay"),
    ],
)
def test_a_reading_is_put_into_one_word_with_its_cause(reading: str, why: str | None) -> None:
    found = run(
        "meeting/quality.js",
        f"return m.judge({{ loss: 0, rtt: null, sent: null, limited: null, {reading} }});",
    )
    assert found == {"level": "weak" if why else "good", "why": why}


def test_the_word_does_not_flicker() -> None:
    found = run(
        "meeting/quality.js",
        "const line = new m.Steady();"
        "const weak = { level: 'weak', why: 'delay' }, good = { level: 'good', why: null };"
        "return [[weak, 0], [good, 2], [weak, 4], [good, 6], [good, 9], [good, 10]]"
        ".map(([verdict, at]) => line.look(verdict, at).level);",
    )
    assert found == ["weak"] * 5 + ["good"]


CASES = [
    ("{}", None),
    ("{ state: 'reconnecting', held: true }", "reconnecting"),
    ("{ held: true, told: { level: 'weak', why: 'uplink' } }", "my_picture_held"),
    ("{ told: { level: 'weak', why: 'uplink' }, own: { level: 'weak', why: 'machine' } }", "my_uplink"),
    ("{ told: { level: 'weak', why: 'uplink' }, visitor: true }", "my_line_hall"),
    ("{ own: { level: 'weak', why: 'downlink' }, visitor: true }", "my_line_hall"),
    ("{ own: { level: 'weak', why: 'machine' }, visitor: true }", "my_machine_hall"),
    ("{ told: { level: 'weak', why: 'delay' }, visitor: true }", "my_delay"),
    ("{ told: { level: 'silent', why: null } }", None),
    ("{ told: { level: 'weak', why: 'delay' }, own: { level: 'weak', why: 'downlink' } }", "my_downlink"),
    ("{ told: { level: 'good', why: null }, own: { level: 'weak', why: 'machine' } }", "my_machine"),
]


@pytest.mark.parametrize(("given", "sentence"), CASES)
def test_one_is_told_one_thing_about_ones_own_line(given: str, sentence: str | None) -> None:
    assert run("js/room-verdicts.js", f"return m.mySentence({given});") == sentence


@pytest.mark.parametrize(
    ("person", "line", "sentence", "bars"),
    [
        ("{}", "{ level: 'good', why: null }", None, 3),
        ("{}", "{ level: 'weak', why: 'delay' }", "peer_delay", 2),
        ("{}", "{ level: 'weak', why: 'uplink' }", "peer_uplink", 1),
        ("{}", "{ level: 'weak', why: 'downlink' }", "peer_downlink", 1),
        ("{}", "{ level: 'silent', why: null }", "peer_silent", 0),
        ("{ held: true }", "{ level: 'weak', why: 'uplink' }", "peer_picture_held", 1),
        ("{ spared: true }", "{ level: 'good', why: null }", "peer_picture_spared", 3),
        ("{ held: true, spared: true }", "{ level: 'good', why: null }", "peer_picture_held", 3),
        ("{ state: 'reconnecting', held: true }", "{ level: 'silent' }", "peer_away", 0),
    ],
)
def test_of_another_one_thing_is_said_and_the_bars_agree(
    person: str, line: str, sentence: str | None, bars: int
) -> None:
    away = f"({person}).state === 'reconnecting'"
    found = run("js/room-verdicts.js", f"return [m.theirSentence({person}, {line}), m.barsOf({line}, {away})];")
    assert found == [sentence, bars]


def test_nobody_is_told_that_the_cause_is_elsewhere_while_their_own_line_is_weak_too() -> None:
    weak = "['uplink', 'downlink', 'delay'].map((why) => m.theirSentence({}, { level: 'weak', why }, true))"
    assert run("js/room-verdicts.js", f"return {weak};") == ["peer_weak_too", "peer_weak_too", "peer_delay"]


def test_every_sentence_and_every_bar_has_its_words_in_the_page() -> None:
    words = TEMPLATE.read_text()
    mine = [f"my_{why}" for why in ("uplink", "downlink", "delay", "machine")]
    theirs = [f"peer_{why}" for why in ("uplink", "downlink", "delay")]
    more = ["reconnecting", "my_picture_held", "my_line_hall", "my_machine_hall", "peer_weak_too"]
    more += ["peer_away", "peer_silent", "peer_picture_held", "peer_picture_spared", "line_again", "away"]
    bars = run("js/room-verdicts.js", "return [0, 1, 2, 3].map(m.lineWord);")
    for key in [*mine, *theirs, *more, *bars]:
        assert f'("{key}", ' in words, key
