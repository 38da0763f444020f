// Which sentence stands for which trouble, and how many bars. Pure: the words themselves are in the page (#room-words).

const CAUSES = ["uplink", "downlink", "delay", "machine"]; // what is heard first is said first

/** Bars of three for a line: {level, why}, `away` while somebody reconnects. */
export function barsOf({ level = "good", why = null } = {}, away = false) {
  if (away || level === "silent") return 0;
  if (level === "good") return 3;
  return why === "delay" || why === "machine" ? 2 : 1;
}

/** The word for a screen reader beside those bars. */
export function lineWord(bars) {
  return ["line_broken", "line_weak", "line_slowish", "line_fine"][bars];
}

/**
 * What someone is told of their own line; null where all is well. `own` is the browser's verdict, `told` the node's.
 * A visitor sits before a screen that is not theirs, and is sent to the attendant, not to the cable.
 */
export function mySentence({ state = "here", held = false, own = {}, told = {}, visitor = false } = {}) {
  if (state === "reconnecting") return "reconnecting";
  if (held) return "my_picture_held";
  const why = CAUSES.find((cause) => [told, own].some((one) => one.level === "weak" && one.why === cause));
  if (!why) return null;
  if (!visitor || why === "delay") return `my_${why}`;
  return why === "machine" ? "my_machine_hall" : "my_line_hall";
}

/** What is said of another: {state, held, spared} of the presence, {level, why} of the node; `mine`: my own line is weak too. */
export function theirSentence({ state = "here", held = false, spared = false } = {}, { level = "good", why = null } = {}, mine = false) {
  if (state === "reconnecting") return "peer_away";
  if (level === "silent") return "peer_silent";
  if (held) return "peer_picture_held";
  if (spared) return "peer_picture_spared";
  if (level !== "weak") return null;
  return mine && why !== "delay" ? "peer_weak_too" : `peer_${why ?? "uplink"}`;
}
