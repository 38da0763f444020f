// The page after the last word: why it is over, what to do now, and the way back where there is one.
const $ = (id) => document.getElementById(id);

// Close reason (docs/protocols/meeting.md) → the words; what is not named here is "refused".
const WORDS = {
  ended: "ended",
  left: "left",
  removed: "removed",
  taken_over: "taken_over",
  not_invited: "not_invited",
  no_meeting: "not_invited",
  full: "full",
  busy: "rooms_taken",
  no_media: "no_way",
  too_many_legs: "broken",
  bad_message: "reload",
  flooding: "reload",
};
const FINAL = new Set(["ended", "not_invited"]); // who was shown out may be invited again

/** Shows the end and its reason; whoever reads by ear is led there. */
export function showOver(reason, say) {
  const key = WORDS[reason] ?? "refused";
  $("over-title").textContent = say(key);
  if (key !== "ended") $("over-text").textContent = say(`${key}_text`);
  $("again").hidden = FINAL.has(key);
  $("home")?.classList.replace("button--primary", FINAL.has(key) ? "button--primary" : "button--quiet"); // one first
  $("over").hidden = false;
  $("over-title").focus();
}
