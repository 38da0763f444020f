// A held place: who leaves the page gives it back at once, and when its time is over the page says so.
import "/static/js/office.js";

const held = document.querySelector("[data-hold]");

/** Presses that go on with the hold (or change it) are no leaving. */
let keeps = false;

function giveBack() {
  if (keeps) return;
  const csrf = document.querySelector("meta[name=csrf]").content;
  navigator.sendBeacon(held.dataset.release, new URLSearchParams({ csrf, appointment: held.dataset.hold }));
}

if (held) {
  const until = new Date(held.dataset.holdUntil).getTime();
  const minute = 60_000;
  const later = (moment, run) => setTimeout(run, Math.max(0, moment - Date.now()));
  later(until - minute, () => {
    const said = document.getElementById("hold-said");
    said.textContent = said.dataset.soon;
  });
  later(until, () => {
    keeps = true; // there is nothing left to give back
    location.replace(held.dataset.over);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-keeps-hold]")) keeps = true;
  });
  window.addEventListener("pagehide", giveBack);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // brought back from the history: its place has been given back
  });
}
