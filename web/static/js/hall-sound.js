// The hall's sound: a chime and clips, one after the other. Browsers keep silent until a page has been touched, or the
// display was started with sound allowed (docs/operations.md); `state` says how it is, for everybody to see.
import { ring } from "./chime.js";

const FETCH_MS = 2500; // a clip that isn't there by then is left out: the chime has rung, the screen shows the number
const KEPT = 60;

export class Sound {
  constructor(changed) {
    this.context = "AudioContext" in window ? new AudioContext() : null;
    this.clips = new Map();
    if (!this.context) return;
    this.output = this.context.createGain();
    this.output.connect(this.context.destination);
    this.context.addEventListener("statechange", changed);
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => this.wake(), { passive: true });
  }

  get state() {
    if (!this.context) return "none";
    return this.context.state === "running" ? "on" : "asleep";
  }

  wake() {
    return this.context?.state === "running" ? null : this.context?.resume();
  }

  /** 0 to 100, as loudness is heard rather than as a voltage. */
  set volume(percent) {
    if (this.output) this.output.gain.value = (Math.min(Math.max(percent, 0), 100) / 100) ** 2;
  }

  /** Fetches a clip before its turn comes. */
  prepare(address) {
    if (!address || !this.context) return null;
    let clip = this.clips.get(address);
    if (!clip) {
      clip = this.load(address);
      this.clips.set(address, clip);
      clip.then((buffer) => buffer ?? this.clips.delete(address));
      if (this.clips.size > KEPT) this.clips.delete(this.clips.keys().next().value);
    }
    return clip;
  }

  async load(address) {
    try {
      const answer = await fetch(address, { headers: { "X-Fragment": "1" }, signal: AbortSignal.timeout(FETCH_MS) });
      return answer.ok ? await this.context.decodeAudioData(await answer.arrayBuffer()) : null;
    } catch {
      return null;
    }
  }

  /** Resolves when it has been heard, to whether it was. */
  async play(address) {
    const buffer = await this.prepare(address);
    if (!buffer || this.state !== "on") return false;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.output);
    const over = new Promise((done) => {
      source.onended = () => done(true);
      setTimeout(() => done(this.state === "on"), buffer.duration * 1000 + 800); // a device that went away ends nothing
    });
    source.start();
    return over;
  }

  async chime(own) {
    if (this.state !== "on") return false;
    if (own && (await this.play(own))) return true;
    const seconds = ring(this.context, this.output);
    await new Promise((done) => setTimeout(done, seconds * 1000));
    return true;
  }
}
