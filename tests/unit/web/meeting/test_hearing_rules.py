"""When a leg on which nothing comes is replaced, run by Node as it is served."""

from __future__ import annotations

from tests.unit.web.meeting.test_line_rules import run

PLAY = """
  const hearing = new m.Hearing(), replaced = [];
  let now = 0, unheard = 0;
  const rest = (seconds, expected = true, heard = false) => {
    for (let half = 0; half < 2 * seconds; half += 1) {
      now += 500;
      unheard = heard ? 0 : unheard + 500;
      if (hearing.isDeaf(unheard, expected, now)) { replaced.push(now / 1000); unheard = 0; }
    }
  };
"""


def test_a_deaf_leg_is_replaced_ever_later_and_at_last_no_more() -> None:
    assert run("meeting/hearing.js", PLAY + "rest(600); return replaced;") == [5.5, 26, 86.5]


def test_who_waits_alone_does_not_wonder_and_has_time_when_somebody_comes() -> None:
    assert run("meeting/hearing.js", PLAY + "rest(60, false); rest(4); return replaced;") == []
    assert run("meeting/hearing.js", PLAY + "rest(60, false); rest(6); return replaced;") == [65.5]


def test_what_is_heard_forgives_everything() -> None:
    script = "rest(6); rest(1, true, true); rest(6); return replaced;"
    assert run("meeting/hearing.js", PLAY + script) == [5.5, 12.5]


def test_expected_is_who_sends_and_whom_the_node_hears() -> None:
    found = run(
        "meeting/hearing.js",
        """
        const hearing = new m.Hearing(), one = { id: "a", state: "here", audio: true, video: true };
        const expects = (...more) => hearing.expects(more.map((change) => ({ ...one, ...change })), "me");
        const found = [
          expects({}), expects(), expects({ id: "me" }), expects({ state: "reconnecting" }), expects({ audio: false }),
          expects({ audio: false, video: false }), expects({ audio: false, held: true }),
          expects({ audio: false, spared: true }), expects({ spared: true }),
        ];
        hearing.told({ participant: "a", level: "silent" });
        found.push(expects({}), expects({}, { id: "b" }));
        hearing.told({ participant: "a", level: "weak" });
        return [...found, expects({})];
        """,
    )
    assert found == [True, False, False, False, True, False, False, False, True, False, True, True]
