// Two soft strokes of a bell, made by the browser itself. Browsers keep silent until a page has been touched (or the
// display was started with sound allowed); a button marked [data-wake] shows while that is so.
let context = null;

const wakers = () => document.querySelectorAll("[data-wake]");

function show() {
  const asleep = context?.state !== "running";
  wakers().forEach((button) => (button.hidden = !asleep));
}

export function wireChime() {
  if (!("AudioContext" in window)) return;
  context = new AudioContext();
  context.addEventListener("statechange", show);
  document.addEventListener("majlis:refreshed", show);
  const wake = () => context.resume().then(show);
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, wake, { passive: true });
  document.addEventListener("click", (event) => event.target.closest("[data-wake]") && wake().then(() => chime()));
  show();
}

function stroke(context, output, at, frequency) {
  for (const [harmonic, loudness, length] of [[1, 0.28, 1.6], [2.01, 0.12, 0.9], [3.02, 0.05, 0.5]]) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = frequency * harmonic;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(loudness, at + 0.012);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
    tone.connect(gain).connect(output);
    tone.start(at);
    tone.stop(at + length + 0.05);
  }
}

/** Two strokes from now on, into any node; returns how many seconds they are heard. */
export function ring(within, output) {
  stroke(within, output, within.currentTime, 659.26);
  stroke(within, output, within.currentTime + 0.45, 523.25);
  return 1.4;
}

/** Rings once; resolves to whether anything could be heard. */
export async function chime() {
  if (!context) return false;
  if (context.state !== "running") return false;
  ring(context, context.destination);
  return true;
}
