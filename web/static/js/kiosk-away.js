// The page that the browser's worker shows while nothing answers: it waits, and goes on where the visitor was.
import { alive, pause } from "./kiosk-line.js";

const EVERY_MS = 1000;
const FORGET_MS = 45000; // whoever asked has gone by then: the next visitor begins at the beginning
const start = document.body.dataset.kiosk;
const since = Date.now();

while (!(await alive(start))) await pause(EVERY_MS);
const asked = location.pathname;
if (Date.now() - since > FORGET_MS || asked.endsWith("/ticket") || asked.endsWith("/away")) location.replace(start);
else location.reload();
