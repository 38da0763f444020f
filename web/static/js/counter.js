// The console: a moment that opens a button ([data-refresh-at]) makes the page look again, and what was just called is
// announced to whoever listens instead of looks.
import { refresh } from "./live.js";

let timer = 0;

function schedule() {
  clearTimeout(timer);
  const times = [...document.querySelectorAll("[data-refresh-at]")].map((element) => new Date(element.dataset.refreshAt) - Date.now());
  const next = Math.min(...times.filter((left) => left > -1000));
  if (Number.isFinite(next)) timer = setTimeout(refresh, Math.max(300, next + 200));
}

schedule();
document.addEventListener("majlis:refreshed", schedule);
setInterval(() => document.visibilityState === "visible" && refresh(), 30000); // waits grow and appointments come due
