"""From where the others are heard, run by Node as it is served."""

from __future__ import annotations

from tests.unit.web.meeting.test_line_rules import run


def test_whoever_comes_later_is_heard_from_the_chosen_loudspeaker() -> None:
    words = """
      export const iconElement = () => null;
      export const make = (tag, values, ...inside) => Object.assign(new EventTarget(), {
        inside, sink: "", classList: { toggle() {} }, setAttribute() {}, play: async () => {},
        async setSinkId(id) { if (id === "unplugged") throw new Error(id); this.sink = id; },
      });
    """
    line = "export const barsElement = () => ({ dataset: {} });"
    script = """
      const faces = new Set();
      const place = {
        classList: { toggle() {} }, children: [], querySelector: () => null, append() {},
        insertBefore: (tile) => faces.add(tile.inside[0]),
      };
      const stage = new m.Stage({ stage: place, say: (key) => key, lang: "ar" });
      const sinks = [];
      for (const [who, speaker] of [["aide"], ["visitor", "headset"], ["interpreter", ""], ["late", "unplugged"]]) {
        if (speaker !== undefined) stage.speak(speaker);
        stage.attach(who, "audio", {});
        sinks.push([...faces].map((face) => face.sink));
      }
      await new Promise((resolve) => setTimeout(resolve)); // what was refused must not fall on anybody's head
      return sinks;
    """
    found = run("js/room-stage.js", script, {"./words.js": words, "./room-line.js": line})
    assert found == [[""], ["headset", "headset"], ["", "", ""], ["", "", "", ""]]
