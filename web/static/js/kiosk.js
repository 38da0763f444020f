// The device in the hall. Every step is a page of the server's; this adds what a page can't do: saying at once that
// the server is away and going on by itself, one ticket for however many touches, the scanner, the arrow keys.
import { alive, pause } from "./kiosk-line.js";
import { wireKeys, wireScanner } from "./kiosk-keys.js";
import { print } from "./small.js";

const BEAT_MS = 2500;
const BACK_MS = 1000;
const LATE_MS = 3000;
const KEEP_EVERY_MS = 600000;
const KEPT_KEY = "majlis:kiosk:kept";
const base = document.querySelector("[data-kiosk]").dataset.kiosk;
const notice = document.getElementById("away");
let away = false;

function show(gone) {
  if (gone === away) return;
  away = gone;
  if (gone) notice.showModal();
  else notice.close();
}

/** Resolves once the server answers; meanwhile the notice stands over the page. */
async function reached() {
  while (!(await alive(base))) {
    show(true);
    await pause(BACK_MS);
  }
  show(false);
}

async function watch() {
  for (;;) {
    await pause(BEAT_MS);
    if (!away && !document.hidden && !(await alive(base)) && !(await alive(base))) await reached();
  }
}

/** Where a link leads, once something answers there. */
async function go(address, { replace = false } = {}) {
  await reached();
  if (replace) location.replace(address);
  else location.assign(address);
}

/** The browser's worker shows the notice when a page is opened while nothing answers (secure addresses only). */
async function keepNotice() {
  if (!("serviceWorker" in navigator)) return;
  const worker = await navigator.serviceWorker.register(`${base}/worker.js`, { scope: base }).catch(() => null);
  const kept = Number(sessionStorage.getItem(KEPT_KEY));
  if (!worker?.active || Date.now() - kept < KEEP_EVERY_MS) return;
  sessionStorage.setItem(KEPT_KEY, String(Date.now()));
  worker.active.postMessage("keep");
}

/** The ticket: sent until an answer comes, always with the same key, so that it is one ticket whatever got lost. */
async function take(form) {
  const body = new URLSearchParams(new FormData(form));
  const button = form.querySelector("[type=submit]");
  button.classList.add("is-busy");
  form.setAttribute("aria-busy", "true");
  for (;;) {
    try {
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
      if ([502, 503, 504].includes(answer.status)) throw new Error("away");
      if (answer.redirected) return location.assign(answer.url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
      document.querySelector("footer").replaceChildren(...page.querySelector("footer").childNodes);
      return undefined;
    } catch {
      await reached();
    }
  }
}

function wireLine() {
  notice.addEventListener("cancel", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(`a[href^="${base}"]`);
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    event.preventDefault();
    if ("sending" in form.dataset) return;
    form.dataset.sending = "";
    if ("ticketForm" in form.dataset) return take(form);
    await reached();
    HTMLFormElement.prototype.submit.call(form);
  });
  document.addEventListener("majlis:idle", (event) => {
    event.preventDefault();
    go(event.detail.to, { replace: true });
  });
  watch();
  keepNotice();
}

function wirePaper() {
  const slip = document.querySelector(".slip[data-prints-itself]");
  const seen = `majlis:printed:${location.pathname}`;
  if (slip && !sessionStorage.getItem(seen)) {
    sessionStorage.setItem(seen, "1");
    const code = slip.querySelector("img");
    if (!code || code.complete) print("slip");
    else code.addEventListener("load", () => print("slip"), { once: true });
  }
  setTimeout(() => {
    const late = document.querySelector("[data-paper-late]");
    if (late) late.hidden = false;
  }, LATE_MS);
}

wireLine();
wirePaper();
wireKeys();
wireScanner((text) => go(`${base}/appointment?${new URLSearchParams({ lang: document.documentElement.lang, code: text, scanned: "1" })}`));

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("form").forEach((form) => {
    form.reset();
    delete form.dataset.sending;
  });
});
