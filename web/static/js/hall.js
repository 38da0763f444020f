// The hall announces every call once: what it has announced is remembered on this display, so that calls made while the
// line was broken or the page was reloading are announced when it is back. Identifiers of calls grow with time.
import { chime, wireChime } from "./chime.js";
import { refresh } from "./live.js";

const FLASH_MS = 6000;
const BETWEEN_MS = 2600; // one call after the other, so that each is heard
const LOOK_MS = 15000; // a look of our own, whatever the socket says
const STALE_MS = 120000; // what is older than this when we come back is shown, not announced

const place = `majlis:hall:${location.pathname}`;
const say = document.getElementById("hall-say");
let announced = localStorage.getItem(place) ?? null;
let line = Promise.resolve();
let flashUntil = 0;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** A call's identifier begins with its time (48 bits of milliseconds in ten letters). */
const timeOf = (id) => [...id.slice(0, 10)].reduce((sum, letter) => sum * 32 + ALPHABET.indexOf(letter), 0);

function shown() {
  const last = document.getElementById("hall-call");
  const rows = [...document.querySelectorAll("#hall-before [data-call]")].map((row) => ({
    id: row.dataset.call,
    label: row.querySelector(".before__number").textContent.trim(),
    counter: row.querySelector(".before__to").textContent.trim(),
  }));
  if (last?.dataset.call) {
    rows.unshift({
      id: last.dataset.call,
      label: last.querySelector(".call__number").textContent.trim(),
      counter: last.querySelector(".call__to").textContent.trim(),
    });
  }
  return rows;
}

function flash() {
  const lit = performance.now() < flashUntil;
  document.getElementById("hall-call").classList.toggle("call--new", lit);
  document.querySelector(".full").classList.toggle("is-calling", lit);
}

async function announce(call) {
  flashUntil = performance.now() + FLASH_MS;
  flash();
  setTimeout(flash, FLASH_MS + 50);
  document.querySelector(`#hall-before [data-call="${call.id}"]`)?.classList.add("is-called");
  say.textContent = say.dataset.say.replace("{label}", call.label).replace("{counter}", call.counter);
  await chime();
  await new Promise((done) => setTimeout(done, BETWEEN_MS));
}

function look() {
  const calls = shown();
  const newest = calls[0]?.id ?? "";
  if (announced === null) announced = calls.length ? newest : "";
  const oldest = Date.now() - STALE_MS;
  const fresh = calls.filter((call) => call.id > announced && timeOf(call.id) > oldest).sort((a, b) => (a.id < b.id ? -1 : 1));
  if (newest > announced) announced = newest;
  localStorage.setItem(place, announced);
  for (const call of fresh) line = line.then(() => announce(call));
  flash();
}

wireChime();
look();
document.addEventListener("majlis:refreshed", look);
setInterval(refresh, LOOK_MS);
