// The hall announces every call once. What it has announced is remembered on this display, so that calls made while the
// line was broken or the page was reloading are announced when it is back, and none twice. A call counts as announced
// once it was said through in its first language: a reload in mid-sentence says it again.
import { isShort, queue, remembered, tongues, withdrawn } from "./hall-line.js";
import { Sound } from "./hall-sound.js";
import { wireTurns } from "./hall-turns.js";
import { refresh } from "./live.js";

const PULSE_MS = 2500; // asked whatever the socket says: a dead line is noticed within three seconds
const LOST_MS = 1000; // while nothing answers: the board is right again within three seconds of the server's return
const PATIENCE_MS = 2000;
const RENEW_MS = 60000; // day, waits and notices change with time alone
const SHOWN_MS = 3200; // a call that isn't spoken is shown alone for so long
const PAUSE_MS = 250;

const place = `majlis:hall:${location.pathname}`;
const root = document.documentElement;
const list = document.getElementById("hall-spoken");
const air = document.getElementById("hall-air");
const announced = new Set(recall());
const sound = new Sound(showState);
let waiting = [];
let said = null;
let rung = false;
let reached = true;

const told = (name, detail) => document.dispatchEvent(new CustomEvent(`majlis:${name}`, { detail }));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const words = (text) => (text ? text.split(" ") : []);
const serverNow = () => Date.now() + Number(root.dataset.skew ?? 0);
const quiet = () => Boolean(list.dataset.quiet);
const listed = () => new Set([...list.children].map((row) => row.dataset.key));

function recall() {
  try {
    return JSON.parse(localStorage.getItem(place))?.ids ?? [];
  } catch {
    return []; // written by an older display, or storage is shut
  }
}

function remember(call) {
  for (const id of [...call.covers, call.id]) announced.add(id);
  try {
    localStorage.setItem(place, JSON.stringify({ ids: remembered(announced) }));
  } catch {
    // without storage a reload announces the last minute again, which is better than silence
  }
}

function calls() {
  return [...list.children].map((row) => ({
    id: row.dataset.key,
    ticket: row.dataset.ticket,
    counter: row.dataset.counter,
    language: row.dataset.language,
    at: Number(row.dataset.at),
    text: row.dataset.text,
    clips: { ar: words(row.dataset.ar), en: words(row.dataset.en) },
    face: row.cloneNode(true),
  }));
}

function showState() {
  const state = document.getElementById("hall-sound");
  const awake = sound.state;
  const shown = quiet() ? "quiet" : awake === "on" && !list.dataset.voices ? "chime" : awake;
  if (state && state.dataset.state !== shown) state.dataset.state = shown;
}

/** The call that is being said fills the screen, even if a newer one has come meanwhile; null ends it. */
function show(call) {
  const newest = document.getElementById("hall-call").dataset.call;
  air.hidden = call === null || call.id === newest;
  air.replaceChildren(...(air.hidden ? [] : call.face.cloneNode(true).childNodes));
  document.querySelector(".full").classList.toggle("is-calling", call !== null);
  for (const row of document.querySelectorAll("#hall-before [data-call]")) row.classList.toggle("is-called", row.dataset.call === call?.id);
}

async function speak(call, short) {
  const languages = tongues(call, { english: Boolean(list.dataset.english), short });
  for (const clip of languages.flatMap((lang) => call.clips[lang])) sound.prepare(clip); // made while the chime rings
  if (!short || !rung) {
    rung = await sound.chime(list.dataset.chime);
    if (rung) told("rung", { id: call.id });
  }
  for (const lang of languages) {
    for (const clip of call.clips[lang]) if (await sound.play(clip)) told("heard", { id: call.id, lang, clip, short });
    remember(call);
    await pause(PAUSE_MS);
  }
}

async function announce(call) {
  const short = isShort(waiting.length + 1);
  show(call);
  document.getElementById("hall-say").textContent = call.text;
  const seen = pause(short ? SHOWN_MS / 2 : SHOWN_MS);
  if (!quiet() && sound.state === "on") await speak(call, short);
  await seen;
  remember(call);
  told("announced", { id: call.id, short });
}

async function next() {
  if (said) return;
  while (waiting.length) {
    const call = waiting.shift();
    if (withdrawn(call, listed(), serverNow())) continue;
    said = call;
    await announce(call).catch(() => {}); // whatever fails about one call, the next has its turn
    said = null;
  }
  rung = false;
  show(null);
}

function look() {
  sound.volume = Number(list.dataset.volume);
  showState();
  waiting = queue(waiting, calls(), announced, said?.id);
  if (waiting.length && !said) next();
  else if (said) show(said);
}

/** A small question of our own, whatever the socket believes; its answer also tells how far this device's clock is off. */
async function pulse() {
  const asked = Date.now();
  try {
    const answer = await fetch(`${location.pathname}/pulse`, { headers: { "X-Fragment": "1" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(answer.statusText);
    const { now, calls: young } = await answer.json();
    const skew = Math.round(now - (asked + Date.now()) / 2);
    if (Math.abs(skew - Number(root.dataset.skew ?? 0)) > 500) root.dataset.skew = String(skew);
    const here = listed();
    if (!reached || young.some((id) => !here.has(id))) refresh();
    reached = true;
  } catch {
    reached = false;
  }
}

function keepPulse() {
  pulse().finally(() => setTimeout(keepPulse, reached ? PULSE_MS : LOST_MS));
}

/** Displays fall asleep when nobody touches them. */
function stayAwake() {
  if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch(() => {});
}

if (document.body.dataset.live) {
  document.body.dataset.eager = ""; // a call is shown at once, not with the next breath
  document.addEventListener("majlis:refreshed", look);
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-wake]")) await sound.wake(), sound.chime(list.dataset.chime);
  });
  document.addEventListener("visibilitychange", stayAwake);
  stayAwake();
  pulse().finally(() => {
    look();
    setTimeout(keepPulse, PULSE_MS);
  });
  setInterval(refresh, RENEW_MS);
}
wireTurns();
