// The turn on one's own phone. The socket is the hall's, spoken by hand in a dozen lines (Engine.IO 4, Socket.IO 5):
// the usual library would be larger than the rest of the page. Hints carry nothing; the page fetches itself again.
const LOOK_MS = 20000; // without a socket
const NEAR = 5; // so few ahead: look at once; others wait a moment, so that a full hall doesn't ask all together
const FAR_MS = 1500;
const LOST_MS = 4000;
const title = document.title;
const { home, topic } = document.body.dataset;
const turn = () => document.getElementById("turn");
let told = turn().dataset.call;
let ways = document.getElementById("do").cloneNode(true); // as the server gave them: what is being filled in is left alone
let sound = null;
let timer = 0;
let lostTimer = 0;
let tries = 0;

const over = () => !["waiting", "called", "serving", "parked", "no_show"].includes(turn().dataset.state);

function lost(yes) {
  clearTimeout(lostTimer);
  if (yes) lostTimer = setTimeout(() => (document.getElementById("lost").hidden = false), LOST_MS);
  else document.getElementById("lost").hidden = true;
}

function ring() {
  navigator.vibrate?.([300, 150, 300, 150, 600]);
  if (sound?.state !== "running") return;
  [659.26, 523.25, 659.26].forEach((frequency, n) => {
    const tone = sound.createOscillator();
    const gain = sound.createGain();
    const at = sound.currentTime + n * 0.45;
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.35, at + 0.012);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 1.2);
    tone.connect(gain).connect(sound.destination);
    tone.start(at);
    tone.stop(at + 1.3);
  });
}

function look() {
  const { state, call } = turn().dataset;
  document.title = state === "called" ? `● ${title}` : title;
  if (state === "called" && call !== told) ring();
  told = call;
}

async function refresh() {
  try {
    const answer = await fetch(home, { headers: { "X-Fragment": "1" }, cache: "no-store" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const wanted = fresh.getElementById("do");
    if (!turn().isEqualNode(fresh.getElementById("turn"))) turn().replaceWith(fresh.getElementById("turn"));
    if (!ways.isEqualNode(wanted)) {
      ways = wanted.cloneNode(true);
      document.getElementById("do").replaceWith(wanted);
    }
    lost(false);
    wake();
    look();
  } catch {
    lost(true);
  }
}

function soon(most) {
  clearTimeout(timer);
  timer = setTimeout(refresh, 60 + Math.random() * most);
}

/** "0" they open, "40" we join, "42[…]" what we say and hear, "2" and "3" are breaths. */
function listen() {
  if (!topic || over()) return;
  const line = new WebSocket(`${location.origin.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
  line.onmessage = ({ data }) => {
    if (data[0] === "0") line.send("40");
    else if (data === "2") line.send("3");
    else if (data.startsWith("40")) {
      tries = 0;
      line.send(`42${JSON.stringify(["watch", { topics: [topic] }])}`);
      soon(0);
    } else if (data.startsWith('42["changed"')) soon(Number(turn().dataset.place) > NEAR ? FAR_MS : 0);
  };
  line.onclose = () => {
    lost(true);
    setTimeout(listen, Math.min(1000 * 2 ** tries++, 15000) * (0.5 + Math.random()));
  };
}

function wake() {
  document.querySelectorAll("[data-wake]").forEach((button) => (button.hidden = !sound || sound.state === "running"));
}

if ("AudioContext" in window) {
  sound = new AudioContext();
  sound.onstatechange = wake;
  document.addEventListener("pointerdown", () => sound.resume(), { passive: true });
  document.addEventListener("click", (event) => event.target.closest("[data-wake]") && sound.resume().then(ring));
}
if (location.pathname !== new URL(home, location.href).pathname) history.replaceState(null, "", home); // a refused press
wake();
look();
listen();
document.addEventListener("visibilitychange", () => document.hidden || over() || soon(0));
setInterval(() => document.hidden || over() || refresh(), LOOK_MS);
