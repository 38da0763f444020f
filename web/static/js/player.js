// The player: puts sides, line of time, keys and panel together, and remembers where one stopped.
import { wireKeys } from "./player-keys.js";
import { Line } from "./player-line.js";
import { wireNotes, wireTabs, wireText } from "./player-panel.js";
import { Sides } from "./player-sides.js";
import { forget, recall, remember, say, show } from "./player-time.js";
import { make, toast } from "./ui.js";

const player = document.querySelector("[data-player]");
const stage = document.getElementById("stage");
const figures = [...stage.querySelectorAll("[data-side]")];
const recording = player.dataset.recording;
const length = Number(player.dataset.duration);
const query = new URLSearchParams(location.search);
const play = document.getElementById("play");
const time = document.getElementById("time");
const trouble = document.getElementById("player-lost");
const caption = document.getElementById("caption");
const NEXT_AFTER_MS = 4000;
const KEEP_EVERY_MS = 3000;
const WORTH_S = 8; // a place nearer to the beginning or the end is not gone back to

const sides = new Sides(
  figures.map((figure) => figure.querySelector("[data-media]")),
  recording,
  length,
);
const line = new Line(document.getElementById("track"), figures, length, go);
const spoken = wireText(go);
const notes = wireNotes(sides);
const dead = new Set();
const PICTURE_S = 1 / 25; // what one press of a key goes on while one looks at single pictures
let fine = false; // whether one does
let chapters = [];
let kept = 0;

function go(seconds) {
  fine = false;
  sides.go(seconds);
}

/** One picture on or back, standing still. */
function picture(way) {
  sides.pause();
  fine = true;
  sides.go(Math.round(sides.time / PICTURE_S + way) * PICTURE_S);
}

function toggle() {
  if (sides.wanted) sides.pause();
  else sides.play();
}

// What is shown

function readChapters() {
  chapters = [...document.querySelectorAll("#chapters [data-at]")].map((item) => ({
    item,
    at: Number(item.dataset.at),
    start: Number(item.dataset.start),
    kind: item.dataset.kind,
    text: item.querySelector(".moment__text").textContent,
  }));
  line.mark(chapters);
}

function current(rows) {
  let last = null;
  for (const row of rows) if (row.at <= sides.time + 0.2) last = row;
  for (const row of rows) {
    if (row === last) row.item.setAttribute("aria-current", "true");
    else row.item.removeAttribute("aria-current");
  }
}

function showDark(figure) {
  const media = figure.querySelector("[data-media]");
  const gaps = (figure.gaps ??= JSON.parse(figure.dataset.gaps));
  const away = gaps.some(([kind, from, to]) => kind === "video" && from <= sides.time && sides.time < to);
  const hide = media.localName === "video" && !away && !dead.has(media);
  const dark = figure.querySelector("[data-dark]");
  if (dark.hidden !== hide) dark.hidden = hide;
}

function showTime() {
  fine &&= !sides.wanted;
  const now = show(sides.time, fine);
  if (time.textContent !== now) time.textContent = now;
  line.show(sides.time);
  figures.forEach(showDark);
  const words = spoken.at(sides.time);
  const on = document.getElementById("captions").getAttribute("aria-pressed") === "true";
  caption.hidden = !on || !words;
  const text = words ? `${words.who}: ${words.text}` : "";
  if (caption.textContent !== text) caption.textContent = text;
  notes.show(sides.time);
  if (Date.now() - kept > KEEP_EVERY_MS) keep();
}

function showState() {
  const running = sides.wanted;
  const label = running ? play.dataset.pause : play.dataset.play;
  play.querySelector(".sr-only").textContent = label;
  play.title = label;
  play.querySelector("use").setAttribute("href", `/static/icons.svg#${running ? "pause" : "play"}`);
  document.getElementById("player-wait").hidden = !(running && sides.waiting && !sides.cut);
  const told = sides.cut ? say("lost") : dead.size ? [...dead].map((media) => say("dead", { name: media.closest("[data-name]").dataset.name })).join(" ") : "";
  trouble.hidden = !told;
  if (trouble.textContent !== told) trouble.textContent = told;
}

// Where one stopped

function keep() {
  kept = Date.now();
  if (sides.over) return;
  if (sides.time > WORTH_S && sides.time < length - WORTH_S) remember(`at:${recording}`, Math.floor(sides.time));
  else if (sides.time >= length - WORTH_S) forget(`at:${recording}`);
}

function begin() {
  const wished = Number(query.get("t"));
  if (query.has("t") && Number.isFinite(wished)) {
    go(wished);
  } else {
    const stopped = recall(`at:${recording}`, 0);
    if (stopped > WORTH_S && stopped < length - WORTH_S) {
      go(stopped);
      toast(say("resumed", { time: show(stopped) }), { tone: "info", action: { label: say("from-start"), run: () => go(0) } });
    }
  }
  if (query.get("play")) sides.play();
}

// The end of it: the next part, or no leave any more

function onward() {
  forget(`at:${recording}`);
  if (!player.dataset.next) return;
  const timer = setTimeout(() => location.assign(`${player.dataset.next}?t=0&play=1`), NEXT_AFTER_MS);
  toast(say("next-part"), { tone: "info", action: { label: say("stay"), run: () => clearTimeout(timer) } });
}

function shut(why) {
  sides.stop();
  forget(`at:${recording}`);
  const signIn = why === "signed-out";
  const way = make("a", { class: "button button--primary", href: signIn ? location.href : "/library" }, signIn ? say("signed-out") : say("shelf"));
  document.getElementById("main").replaceChildren(
    make("section", { class: "watch-shut", role: "alert" }, make("h2", {}, say(why)), signIn ? null : make("p", { class: "soft" }, say("revoked-text")), way),
  );
}

// How it is arranged

const WAYS = ["side", "one", "pip"];
function arrange(way) {
  stage.dataset.view = WAYS.includes(way) ? way : "side";
  document.querySelectorAll("[data-way]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.way === stage.dataset.view)));
  if (stage.dataset.view !== "side" && !stage.querySelector("[data-large]")) enlarge(figures.find((figure) => figure.dataset.role === "visitor") ?? figures[0]);
  remember("view", stage.dataset.view);
}

function enlarge(figure) {
  figures.forEach((one) => {
    one.toggleAttribute("data-large", one === figure);
    one.querySelector("[data-enlarge]")?.setAttribute("aria-pressed", String(one === figure));
  });
}

function pressEnlarge(figure) {
  if (stage.dataset.view !== "side" && figure.hasAttribute("data-large")) {
    arrange("side");
    return;
  }
  enlarge(figure);
  if (stage.dataset.view === "side") arrange("one");
}

function switchable(id, key, change, otherwise) {
  const button = document.getElementById(id);
  const put = (on) => {
    button.setAttribute("aria-pressed", String(on));
    change(on);
  };
  put(recall(key, otherwise));
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    remember(key, on);
    put(on);
  });
}

function marks() {
  return chapters.filter(({ kind }) => kind !== "gap");
}

function nextMark() {
  const next = marks().find(({ start }) => start > sides.time + 0.5);
  if (next) go(next.start);
}

function markBefore() {
  const before = marks().filter(({ start }) => start < sides.time - 2).at(-1);
  go(before ? before.start : 0);
}

sides.addEventListener("tick", showTime);
sides.addEventListener("moved", () => {
  showTime();
  keep();
});
sides.addEventListener("tick", () => current(chapters));
sides.addEventListener("changed", showState);
sides.addEventListener("over", onward);
sides.addEventListener("ended", ({ detail }) => shut(detail));
sides.addEventListener("refused", () => toast(say("press-play"), { tone: "info" }));
sides.addEventListener("dead", ({ detail }) => {
  dead.add(detail);
  showState();
});

play.addEventListener("click", toggle);
document.getElementById("next-mark").addEventListener("click", nextMark);
document.querySelectorAll("[data-jump]").forEach((button) => button.addEventListener("click", () => go(sides.time + Number(button.dataset.jump))));
document.querySelectorAll("[data-way]").forEach((button) => button.addEventListener("click", () => arrange(button.dataset.way)));
stage.addEventListener("click", ({ target }) => {
  const figure = target.closest("[data-side]");
  if (target.closest("[data-enlarge]")) pressEnlarge(figure);
  else if (figure) toggle();
});
document.addEventListener("click", ({ target }) => {
  const jump = target.closest("[data-go]");
  if (jump) go(Number(jump.dataset.go));
});

const rate = document.getElementById("rate");
rate.addEventListener("change", () => {
  sides.setRate(Number(rate.value));
  remember("rate", rate.value);
});
rate.value = recall("rate", "1");
if (!rate.value) rate.value = "1";
sides.setRate(Number(rate.value));

document.getElementById("copy-moment").addEventListener("click", async () => {
  await navigator.clipboard.writeText(`${location.origin}${location.pathname}?t=${fine ? sides.time.toFixed(2) : Math.floor(sides.time)}`);
  toast(say("copied"));
});
const whole = document.getElementById("whole");
whole.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : player.requestFullscreen()).catch(() => {}));
document.addEventListener("fullscreenchange", () => whole.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))));

arrange(recall("view", "side"));
switchable("captions", "captions", showTime, true);
switchable("dim", "dim", (on) => (document.documentElement.dataset.theme = on ? "night" : "day"), false);
wireTabs();
wireKeys({
  toggle,
  step: (seconds) => go(sides.time + seconds),
  picture,
  tenth: (n) => go((length * n) / 10),
  markBefore,
  arrange: () => figures.length > 1 && arrange(WAYS[(WAYS.indexOf(stage.dataset.view) + 1) % WAYS.length]),
  speed: (by) => {
    const to = Math.min(Math.max(rate.selectedIndex + by, 0), rate.options.length - 1);
    if (to === rate.selectedIndex) return;
    rate.selectedIndex = to;
    rate.dispatchEvent(new Event("change"));
  },
  note: () => notes.begin(),
});
readChapters();
showState();
begin();
line.load(recording);

document.addEventListener("majlis:refreshed", () => {
  readChapters();
  spoken.read();
  line.load(recording);
});
document.addEventListener("majlis:changed", () => sides.ask());
window.addEventListener("pagehide", keep);
