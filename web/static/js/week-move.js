// Moving an appointment in the week: by dragging it, by its handle (a tap, or Enter) and a choice, by keys alone.
//
// Which times fit, what the visitor would read and why not are the server's to say: the page of the address with
// `move` (in hand) and `to` (put down) is fetched and taken over, so what stands here is only the moving itself.
import { take } from "/static/js/live.js";
import { digits, make, toast } from "/static/js/ui.js";

const SLOP = 6; // px before a press becomes a drag
const EDGE = 70; // px from the free part's edge within which it scrolls along
const TURN_MS = 700; // held so long over “next week”, the drag goes there

const week = () => document.getElementById("week");
const asked = () => week().dataset.asked;
const carried = () => document.querySelector("[data-carried]")?.dataset.carried ?? null;
const fits = () => [...week().querySelectorAll(".cell--fits")];
const dialog = () => document.getElementById("put-dialog");
const still = matchMedia("(prefers-reduced-motion: reduce)");

function words(key, fields = {}) {
  const text = document.getElementById("week-words").content.querySelector(`[data-word="${key}"]`).textContent;
  return text.replace(/\{(\w+)\}/g, (_, name) => fields[name] ?? "");
}

function say(text) {
  document.getElementById("week-said").textContent = text;
}

/** Take over the calendar as it stands at `url`; false where it could not be had. */
async function show(url) {
  try {
    const answer = await fetch(url, { headers: { "X-Fragment": "1" }, credentials: "same-origin", cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    history.replaceState(null, "", url);
    take(await answer.text());
    return true;
  } catch {
    location.assign(url);
    return false;
  }
}

/** “Tuesday 24 November 9:20 am, Northern Centre. 11 of 47.” */
function place(cell) {
  const free = fits();
  return words("at", { when: cell.dataset.when, what: cell.dataset.what, i: digits(free.indexOf(cell) + 1), n: digits(free.length) });
}

const handleOf = (id) => week().querySelector(`[data-carry="${CSS.escape(id)}"]`);

async function pickUp(id, { quiet = false } = {}) {
  if (!(await show(`${asked()}&move=${id}`)) || quiet) return;
  if (carried()) announce(id);
  else await putBack(document.querySelector("#hand .notice__title")?.textContent ?? words("back")); // another page was faster
}

function announce(id) {
  const name = handleOf(id)?.dataset.name ?? document.querySelector(".in-hand bdi")?.textContent ?? "";
  const { when } = document.querySelector("[data-carried]").dataset; // it may lie in another week
  const free = fits();
  (free[0]?.querySelector("a") ?? document.querySelector("[data-put-back]"))?.focus();
  say(`${words(free.length ? "picked" : "none", { name, when, n: digits(free.length) })} ${free.length ? place(free[0]) : ""}`);
}

let leaving = false;

/** Everything stands where it stood. */
async function putBack(text) {
  const id = carried();
  leaving = true; // closing the dialog is part of it
  dialog()?.close();
  if (text) {
    say(text);
    toast(text, { tone: "wait" });
  }
  await show(asked());
  leaving = false;
  if (id) handleOf(id)?.focus();
}

/** Put down at a time: the server shows what the visitor will read, or says why it does not fit. */
async function putDown(id, slot) {
  if (!(await show(`${asked()}&move=${id}&to=${slot}`))) return;
  if (dialog()) {
    if (!dialog().open) dialog().showModal();
    dialog().querySelector("button[type=submit]").focus();
    return;
  }
  await putBack(document.querySelector("#hand .notice__title")?.textContent ?? words("back"));
}

/** The address of the week before or after, with what is in hand. */
function turnTo(which, id) {
  const link = document.querySelector(`[data-week="${which}"]`);
  const url = new URL(link.href);
  url.searchParams.set("move", id);
  location.assign(url);
}

// ── By keys ──────────────────────────────────────────────────────────────

function besides(cell, days) {
  const columns = [...week().querySelectorAll(".week__day")];
  const top = (one) => one.getBoundingClientRect().top - one.closest(".week__day").getBoundingClientRect().top;
  for (let n = columns.indexOf(cell.closest(".week__day")) + days; n >= 0 && n < columns.length; n += days) {
    const free = [...columns[n].querySelectorAll(".cell--fits")];
    if (free.length) return free.reduce((best, one) => (Math.abs(top(one) - top(cell)) < Math.abs(top(best) - top(cell)) ? one : best));
  }
  return null;
}

function onKey(event) {
  const id = carried();
  if (!id || dialog()?.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const free = fits();
  const here = document.activeElement?.closest(".cell--fits") ?? null;
  const later = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight"; // time runs as one reads
  const earlier = later === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
  const to = {
    ArrowDown: () => free[free.indexOf(here) + 1] ?? free[0],
    ArrowUp: () => free[free.indexOf(here) - 1] ?? free.at(-1),
    [later]: () => (here ? besides(here, 1) : free[0]),
    [earlier]: () => (here ? besides(here, -1) : free[0]),
    Home: () => free[0],
    End: () => free.at(-1),
  }[event.key];
  if (to) {
    event.preventDefault();
    to()?.querySelector("a").focus();
  } else if (event.key === "Escape") {
    event.preventDefault();
    putBack(words("back"));
  } else if (event.key === "PageDown" || event.key === "PageUp") {
    event.preventDefault();
    turnTo(event.key === "PageDown" ? "later" : "earlier", id);
  } else if (event.key === " " && here) {
    event.preventDefault();
    putDown(id, here.dataset.slot);
  }
}

document.addEventListener("keydown", onKey);
document.addEventListener("focusin", (event) => {
  const cell = carried() && event.target.closest?.(".cell--fits");
  if (cell) say(place(cell));
});

// ── By presses ───────────────────────────────────────────────────────────

let dragged = false; // the click that ends a drag is none

document.addEventListener(
  "click",
  (event) => {
    if (dragged) {
      dragged = false;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const id = carried();
    const handle = event.target.closest("[data-carry]");
    const back = event.target.closest("[data-put-back]");
    const place = id && event.target.closest(".cell--fits a");
    const turn = id && event.target.closest("[data-week]");
    if (!handle && !back && !place && !turn) return;
    event.preventDefault();
    if (handle) pickUp(handle.dataset.carry);
    else if (back) putBack(words("back"));
    else if (turn) turnTo(turn.dataset.week, id);
    else putDown(id, place.closest(".cell").dataset.slot);
  },
  true,
);

let sent = false;
document.addEventListener("submit", (event) => {
  if (event.target.closest("#put-dialog")) sent = true;
});
document.addEventListener(
  "close",
  (event) => {
    if (event.target.id === "put-dialog" && !sent && !leaving && carried()) putBack(words("back"));
  },
  true,
);

// ── By dragging ──────────────────────────────────────────────────────────

let drag = null;

/** What a press here would take along: the handle under a finger, with a mouse also a time that has one visitor. */
function grasped(event) {
  const handle = event.target.closest("[data-carry]");
  if (handle || event.pointerType !== "mouse") return handle;
  const handles = event.target.closest("#week .cell")?.querySelectorAll("[data-carry]");
  return handles?.length === 1 ? handles[0] : null;
}

function begin(event) {
  const box = drag.handle.closest(".cell").getBoundingClientRect();
  drag.started = true;
  drag.from = box;
  drag.ghost = make("div", { class: "ghost", dir: "ltr", "aria-hidden": "true" }, make("span", { dir: "auto" }, drag.handle.dataset.name));
  document.body.append(drag.ghost);
  document.documentElement.classList.add("is-dragging");
  drag.handle.setPointerCapture(event.pointerId);
  drag.ready = pickUp(drag.id, { quiet: true });
  requestAnimationFrame(along);
}

/** Near the edge of what can be seen of the week the page scrolls along: below what is in hand, above a phone's bar. */
function along() {
  if (!drag?.started) return;
  const hand = document.querySelector(".in-hand")?.getBoundingClientRect();
  const bar = document.querySelector(".rail")?.getBoundingClientRect();
  const top = hand && hand.top < EDGE ? Math.max(EDGE, hand.bottom + 16) : EDGE;
  const bottom = bar && bar.top > innerHeight / 2 ? bar.top : innerHeight;
  if (drag.y < top) window.scrollBy(0, -10);
  else if (drag.y > bottom - EDGE) window.scrollBy(0, 10);
  requestAnimationFrame(along);
}

function over(x, y) {
  const under = document.elementFromPoint(x, y);
  const cell = under?.closest("#week .cell") ?? null;
  for (const one of week().querySelectorAll(".cell--over")) if (one !== cell) one.classList.remove("cell--over");
  if (cell?.classList.contains("cell--fits")) cell.classList.add("cell--over");
  const turn = under?.closest("[data-week]") ?? null;
  if (turn !== drag.turn) {
    clearTimeout(drag.turning);
    drag.turn = turn;
    if (turn) drag.turning = setTimeout(() => turnTo(turn.dataset.week, drag.id), TURN_MS);
  }
  return cell;
}

function finish() {
  clearTimeout(drag.turning);
  document.documentElement.classList.remove("is-dragging");
  const { ghost } = drag;
  drag = null;
  return ghost;
}

/** The tile glides home. */
function glide(ghost, box) {
  ghost.classList.add("ghost--home");
  ghost.style.transform = `translate(${box.left}px, ${box.top}px)`;
  setTimeout(() => ghost.remove(), still.matches ? 0 : 220);
}

document.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || carried() || !event.isPrimary) return;
  const handle = grasped(event);
  if (handle) drag = { handle, id: handle.dataset.carry, x: event.clientX, y: event.clientY, started: false };
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (!drag.started && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < SLOP) return;
  if (!drag.started) begin(event);
  drag.y = event.clientY;
  drag.ghost.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 12}px)`;
  over(event.clientX, event.clientY);
});

document.addEventListener("pointerup", async (event) => {
  if (!drag?.started) {
    drag = null;
    return;
  }
  dragged = true;
  setTimeout(() => (dragged = false), 50); // where no click follows
  const { id, from, ready } = drag;
  await ready;
  if (!drag) return;
  const cell = over(event.clientX, event.clientY);
  const ghost = finish();
  if (cell?.classList.contains("cell--fits")) {
    ghost.remove();
    putDown(id, cell.dataset.slot);
    return;
  }
  glide(ghost, from);
  if (cell && !cell.classList.contains("cell--from")) putDown(id, cell.dataset.slot);
  else putBack("");
});

function dropAll() {
  if (!drag) return;
  const { started, from } = drag;
  const ghost = finish();
  if (!started) return;
  glide(ghost, from);
  putBack("");
}

document.addEventListener("pointercancel", dropAll);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") dropAll();
});
document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.("#week")) event.preventDefault();
});

// Come from another week with something in hand.
if (carried() && !dialog()) announce(carried());
