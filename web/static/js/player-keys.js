// The player's keys. Arrows go the way they point: along a line that an Arabic reader reads from the right.
import { say } from "./player-time.js";
import { register, shortcutsOn } from "./shortcuts.js";

const SHORT_S = 5;
const LONG_S = 15;
const BUSY = "textarea, select, input, button, a, summary, [role=tab], [contenteditable]";

function listed(key, label) {
  register(key, label, () => {}); // for the sheet; what it does is done below, where it may be held down
}

export function wireKeys(does) {
  const rtl = document.documentElement.dir === "rtl";
  const slider = document.getElementById("seek");
  listed(say("k-space"), say("k-play"));
  listed("\u2066← →\u2069", say("k-5"));
  listed("\u2066⇧ ← →\u2069", say("k-15"));
  listed("\u2066, .\u2069", say("k-picture"));
  listed("\u20660–9\u2069", say("k-tenths"));
  register("b", say("k-back-mark"), does.markBefore);
  register("v", say("k-view"), does.arrange);
  listed("\u2066< >\u2069", say("k-speed"));
  register("n", say("k-note"), does.note);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    const onSlider = event.target === slider;
    if (document.querySelector("dialog[open]") || (!onSlider && event.target.closest?.(BUSY) && !/^Arrow(Left|Right)$/.test(event.key))) return;
    if (event.target.matches?.("input, textarea, select, [role=tab]")) return;
    if (!shortcutsOn() && !onSlider) return;
    if (act(event, onSlider)) event.preventDefault();
  });

  function act(event, onSlider) {
    const { key, code } = event;
    if (key === " ") does.toggle();
    else if (key === "ArrowLeft" || key === "ArrowRight") does.step((key === "ArrowLeft") === rtl ? (event.shiftKey ? LONG_S : SHORT_S) : event.shiftKey ? -LONG_S : -SHORT_S);
    else if (onSlider && key === "ArrowUp") does.step(SHORT_S);
    else if (onSlider && key === "ArrowDown") does.step(-SHORT_S);
    else if (onSlider && key === "PageUp") does.step(60);
    else if (onSlider && key === "PageDown") does.step(-60);
    else if (key === "Home" && onSlider) does.tenth(0);
    else if (key === "End" && onSlider) does.tenth(10);
    else if ((code === "Comma" || code === "Period") && !event.shiftKey) does.picture(code === "Period" ? 1 : -1);
    else if (/^(Digit|Numpad)\d$/.test(code) && !event.shiftKey) does.tenth(Number(code.at(-1)));
    else if (key === ">" || key === "<") does.speed(key === ">" ? 1 : -1);
    else return false;
    return true;
  }
}
