// The turn on one's own phone: when the number is called it rings, trembles and says so in the title.
import { chime, wireChime } from "./chime.js";
import { refresh } from "./live.js";

const LOOK_MS = 20000;
const title = document.title;
let told = document.getElementById("turn").dataset.call;

function look() {
  const turn = document.getElementById("turn");
  const called = turn.dataset.state === "called";
  document.title = called ? `● ${title}` : title;
  if (called && turn.dataset.call !== told) {
    navigator.vibrate?.([300, 150, 300, 150, 600]);
    chime();
  }
  told = turn.dataset.call;
  const over = !["waiting", "called", "serving", "parked"].includes(turn.dataset.state);
  if (turn.dataset.state !== "waiting") document.querySelector(".phone__do")?.remove();
  return over;
}

wireChime();
look();
document.addEventListener("majlis:refreshed", look);
const timer = setInterval(() => (look() ? clearInterval(timer) : refresh()), LOOK_MS);
