// The console: a press is sent without leaving the page, so that focus stays, a lost line is waited for, and what
// happened is announced. Without this script every button is an ordinary form.
import { refresh, take } from "./live.js";
import { toast } from "./toasts.js";

const ANSWER_MS = 8000;
const PATIENCE_MS = 20000; // a press is sent again for so long; its once-token lets it count only once
const AGAIN_MS = 1000;
const REST_MS = 350; // the button has just changed its meaning: a key that bounces must not meet the new one
const NOTE = "majlis:counter-note";
const root = document.documentElement;
const words = document.getElementById("counter-words");
const said = (key) => words?.content.querySelector(`[data-word="${key}"]`)?.textContent ?? key;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let timer = 0;
let sending = false;
let restUntil = 0;
let byKey = false;
let told = look();

/** A moment that opens a button ([data-refresh-at]) makes the page look again. */
function schedule() {
  clearTimeout(timer);
  const times = [...document.querySelectorAll("[data-refresh-at]")].map((element) => new Date(element.dataset.refreshAt) - Date.now());
  const next = Math.min(...times.filter((left) => left > -1000));
  if (Number.isFinite(next)) timer = setTimeout(refresh, Math.max(300, next + 200));
}

function look() {
  const pressed = document.querySelector("[data-pressed]");
  return {
    press: pressed?.dataset.pressed ?? "",
    pressText: pressed?.querySelector(".pressed__text")?.textContent.trim() ?? "",
    headline: document.querySelector("[data-headline]")?.dataset.headline ?? "",
  };
}

/** What changed, for whoever listens instead of looks: the press that was done, then what stands at the counter now. */
function tell() {
  const now = look();
  const parts = [];
  if (now.press && now.press !== told.press) parts.push(now.pressText);
  if (now.headline !== told.headline) parts.push(now.headline);
  told = now;
  const region = document.getElementById("said");
  if (parts.length && region) region.textContent = parts.join(". ");
}

const act = () => document.querySelector("[data-act]");

/** The button that had the focus has gone with the state it belonged to: the next action takes it. */
function keepFocus() {
  const active = document.activeElement;
  if (active && active !== document.body && active.isConnected && active.getClientRects().length) return;
  act()?.focus({ preventScroll: true });
}

async function send(form, data) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (![502, 503, 504].includes(answer.status)) return { answer, html: await answer.text() };
    } catch {
      // no line: below
    }
    root.toggleAttribute("data-lost", true);
    if (Date.now() > until) return null;
    await pause(AGAIN_MS);
  }
}

function show(answer, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const notes = [...fresh.querySelectorAll("#toasts [data-toast]")];
  if (!answer.ok || !fresh.getElementById("served")) {
    // signed out, the counter closed by somebody, or an error: the page as it is now says what to do
    const note = answer.ok ? notes.map((one) => one.textContent.trim()).join(" ") : said("not-done");
    if (note) sessionStorage.setItem(NOTE, note);
    location.assign(answer.ok && answer.redirected ? answer.url : "/counter");
    return;
  }
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  take(html);
  document.querySelectorAll("#toasts .toast--danger").forEach((one) => one.remove()); // of a press before this one
  for (const note of notes) toast(note.textContent.trim(), { tone: ["danger", "info", "wait"].find((tone) => note.classList.contains(`toast--${tone}`)) ?? "good" });
}

async function press(form, submitter) {
  sending = true;
  submitter?.classList.add("is-busy");
  form.setAttribute("aria-busy", "true");
  const sent = await send(form, new URLSearchParams(new FormData(form, submitter)));
  root.toggleAttribute("data-lost", false);
  submitter?.classList.remove("is-busy");
  form.removeAttribute("aria-busy");
  sending = false;
  restUntil = performance.now() + REST_MS;
  if (sent === null) {
    toast(said("not-sent"), { tone: "danger" }); // the token stays: the same press again is the same press
    return;
  }
  const once = form.querySelector("input[name=once]");
  if (once) once.value = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
  show(sent.answer, sent.html);
  keepFocus();
}

const resting = () => sending || (byKey && performance.now() < restUntil);

// Before forms.js, which listens on the way up: a press that is sent here is not its business.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.method !== "post" || !form.closest("[data-presses]")) return;
    event.preventDefault();
    if (!resting()) press(form, event.submitter);
  },
  true,
);

// The second click of a double click, and a key held down, are no presses.
document.addEventListener(
  "click",
  (event) => {
    byKey = event.detail === 0;
    if (event.detail > 1 && event.target.closest?.("[data-presses] button")) event.preventDefault();
  },
  true,
);
document.addEventListener(
  "keydown",
  (event) => {
    const one = event.target.closest?.("[data-presses] button, [data-presses] a[role=button]");
    if (!one || (event.key !== "Enter" && event.key !== " ")) return;
    if (event.repeat) event.preventDefault();
    else if (event.key === " " && one.matches("a")) {
      event.preventDefault();
      one.click();
    }
  },
  true,
);

document.addEventListener("majlis:refreshed", () => {
  schedule();
  tell();
  keepFocus();
});
setInterval(() => document.visibilityState === "visible" && !sending && refresh(), 30000); // waits grow, appointments come due
schedule();
const note = sessionStorage.getItem(NOTE);
if (note) {
  sessionStorage.removeItem(NOTE);
  toast(note, { tone: "info" });
}
