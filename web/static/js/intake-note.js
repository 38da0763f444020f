// A dictated note: recorded here, sent once, kept sealed on the server. Nothing of it stays in the browser.
import { basics, deliver } from "./intake.js";
import { digits, toast, word } from "./ui.js";

const start = document.getElementById("note-start");
const running = document.getElementById("note-running");
const time = document.getElementById("note-time");
const MOST_MS = 10 * 60 * 1000;
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

let recorder = null;
let ticking = 0;

async function begin() {
  if (recorder) return;
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true, echoCancellation: true } });
  } catch {
    toast(start.dataset.none, { tone: "danger" });
    return;
  }
  const parts = [];
  recorder = new MediaRecorder(stream, { mimeType: KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)), audioBitsPerSecond: 32000 });
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    stream.getTracks().forEach((track) => track.stop());
    const kept = recorder.keep !== false;
    const kind = recorder.mimeType;
    recorder = null;
    clearInterval(ticking);
    running.hidden = true;
    start.hidden = false;
    start.focus();
    if (kept && parts.length) send(new Blob(parts, { type: kind }));
  });
  recorder.start(1000);
  const from = performance.now();
  const tick = () => {
    const seconds = Math.floor((performance.now() - from) / 1000);
    time.textContent = digits(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
    if (seconds * 1000 >= MOST_MS) finish(true);
  };
  tick();
  ticking = setInterval(tick, 500);
  start.hidden = true;
  running.hidden = false;
  document.getElementById("note-stop").focus();
}

function finish(keep) {
  if (!recorder || recorder.state === "inactive") return;
  recorder.keep = keep;
  recorder.stop();
}

async function send(sound, again = 2) {
  const data = basics();
  data.append("note", sound, "note");
  try {
    await deliver(data);
  } catch {
    if (again > 0) setTimeout(() => send(sound, again - 1), 3000);
    else toast(word("offline"), { tone: "danger" });
  }
}

if (navigator.mediaDevices && window.MediaRecorder) {
  start.hidden = false;
  start.addEventListener("click", begin);
  document.getElementById("note-stop").addEventListener("click", () => finish(true));
  document.getElementById("note-drop").addEventListener("click", () => finish(false));
  window.addEventListener("pagehide", () => finish(true));
}
