// What is sent when the line carries less than the camera gives. The browser's congestion control says how much
// fits; this chooses what to fill it with: frame rate before sharpness where someone signs, sound before picture
// always. The browser alone takes ten seconds and more to find a size that fits, at four frames a second meanwhile.

const LOOK_MS = 500;
const OURS = 480; // below so many lines the browser leaves the size alone: by itself it ends at 160x90
const PLUNGE = 0.5; // the line carries less than half of what is being sent: what already waits would block the sound
const FLUSH_MS = 600;

// From the best down. `lines`: height of the picture (its shorter side); `enter`/`leave`: kbit/s, sound included,
// from which a step is taken and below which it is left; `sound`: bits per second of Opus.
// EN 301 549 §6.5 asks for 20 frames a second and QVGA where someone signs.
export const SIGNING = [
  { lines: Infinity, fps: 30, enter: 2600, leave: 1900, sound: 32_000 },
  { lines: 720, fps: 30, enter: 1000, leave: 700, sound: 32_000 },
  { lines: 480, fps: 30, enter: 550, leave: 380, sound: 32_000 },
  { lines: 360, fps: 30, enter: 330, leave: 220, sound: 24_000 },
  { lines: 240, fps: 24, enter: 140, leave: 95, sound: 16_000 },
  { lines: 180, fps: 22, enter: 75, leave: 55, sound: 16_000 },
];

export const TALKING = [
  { lines: Infinity, fps: 30, enter: 2200, leave: 1600, sound: 32_000 },
  { lines: 720, fps: 30, enter: 750, leave: 500, sound: 32_000 },
  { lines: 480, fps: 30, enter: 400, leave: 270, sound: 32_000 },
  { lines: 360, fps: 24, enter: 250, leave: 170, sound: 24_000 },
  { lines: 240, fps: 15, enter: 150, leave: 110, sound: 20_000 },
  { lines: 180, fps: 12, enter: 100, leave: 80, sound: 16_000 },
];

// So little sound that the browser takes the line for half idle: only then it probes it when the picture comes back.
const PAUSED = { lines: 0, fps: 0, sound: 12_000 };
const SETTLE_MS = 2500; // a new leg, or a picture that comes back: the estimate is not one yet
const WORSE_MS = 400; // so long below before a step is left: two readings
const PAUSE_MS = 1500; // so long below the last step before the picture stops
const BETTER_MS = [3000, 6000, 12000]; // so long above before a step is taken; longer after a step that did not hold
const HELD_MS = 10000; // a step that was left sooner did not hold
const RESUME_MS = [3000, 8000, 15000]; // between attempts to show the picture again

// Which step fits. Pure: feed it readings, it says what to do.
export class Ladder {
  #steps;
  #below = null;
  #above = null;
  #took = -Infinity; // when a better step was last taken
  #settled;
  #patience = 0;
  #tries = 0;
  #pausedAt = 0;

  // `lines` of the camera: the smallest step that holds it whole becomes the top one.
  constructor(steps, lines, now) {
    const top = steps.findLastIndex((step) => step.lines >= lines);
    this.#steps = [{ ...steps[top], lines: Infinity, fps: steps[0].fps }, ...steps.slice(top + 1)];
    this.index = 0; // the length of the list: paused
    this.#settled = now + SETTLE_MS;
  }

  get step() {
    return this.#steps[this.index] ?? PAUSED;
  }

  get full() {
    return this.index === 0;
  }

  get paused() {
    return this.index === this.#steps.length;
  }

  // The line carries much less at once: takes what fits without waiting, and lets it show what it is worth.
  plunge(kbps, now) {
    const last = this.#steps.length - 1;
    if (kbps < this.#steps[last].enter) return this.#pause(now);
    const fits = this.#steps.findIndex((step) => kbps >= step.leave);
    this.index = Math.max(this.index, fits < 0 ? last : fits);
    this.#settled = now + SETTLE_MS;
    this.#below = this.#above = null;
  }

  settle(now) {
    this.#below = null;
    this.#settled = now + SETTLE_MS;
  }

  // `kbps` is what the line carries by the newest reading; returns whether the step has changed.
  read(kbps, now) {
    if (this.paused) return this.#resume(kbps, now);
    const { leave } = this.step;
    if (kbps >= leave) this.#below = null;
    else this.#below ??= now;
    if (this.#below !== null) {
      this.#above = null;
      return this.#worse(kbps, now);
    }
    return this.#better(kbps, now);
  }

  #worse(kbps, now) {
    const last = this.index === this.#steps.length - 1;
    const wait = last ? PAUSE_MS : kbps < this.step.leave / 2 ? 0 : WORSE_MS;
    if (now < this.#settled || now - this.#below < wait) return false;
    if (!last && now - this.#took < HELD_MS) {
      this.#patience = Math.min(this.#patience + 1, BETTER_MS.length - 1);
    }
    const fits = this.#steps.findIndex((step, index) => index > this.index && kbps >= step.leave);
    if (last) this.#pause(now);
    else this.index = fits < 0 ? this.#steps.length - 1 : fits;
    this.#below = null;
    return true;
  }

  #pause(now) {
    this.#tries = now - this.#took < HELD_MS ? Math.min(this.#tries + 1, RESUME_MS.length - 1) : 0;
    this.#pausedAt = now;
    this.#below = this.#above = null;
    this.index = this.#steps.length;
  }

  #better(kbps, now) {
    const next = this.#steps.findIndex((step) => kbps >= step.enter);
    if (next < 0 || next >= this.index) {
      this.#above = null;
      if (now - this.#took > 3 * HELD_MS) this.#patience = 0;
      return false;
    }
    this.#above ??= now;
    const plenty = kbps >= 2 * this.#steps[next].enter;
    if (now - this.#above < BETTER_MS[plenty ? 0 : this.#patience]) return false;
    this.index = next;
    this.#took = now;
    this.#above = null;
    return true;
  }

  // With the picture gone the estimate says little: it hardly rises above what sound takes. So the last step is tried,
  // at once where the estimate rises all the same.
  #resume(kbps, now) {
    const waited = now - this.#pausedAt;
    const room = kbps >= this.#steps.at(-1).enter && waited >= RESUME_MS[0];
    if (!room && waited < RESUME_MS[this.#tries]) return false;
    this.index = this.#steps.length - 1;
    this.#took = now;
    this.#settled = now + SETTLE_MS;
    this.#below = null;
    return true;
  }
}

// Looks after the senders of one leg. `show({video: "full" | "reduced" | "paused", width, fps, kbps})` at every change;
// `kbps` is what the line carries.
export class Care {
  #pc;
  #senders;
  #options;
  #show;
  #ladder = null;
  #lines = 0;
  #timer;
  #shown = "";
  #held = false;
  #busy = false;
  #before = null;

  // `signs`: frame rate before sharpness.
  constructor(pc, senders, { signs = false, maxBitrate, maxFramerate }, show) {
    this.#pc = pc;
    this.#senders = senders;
    this.#options = { signs, maxBitrate, maxFramerate };
    this.#show = show;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  // Nothing is heard of the other side: the estimate falls for want of answers and says nothing about the line. When
  // answers come again it is given time, as on a new leg.
  hold(on) {
    if (this.#held && !on) this.#ladder?.settle(performance.now());
    this.#held = on;
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  // Before anything is sent. Sound has no `priority`: it leaves first anyway, and with one Chromium (156) no longer
  // counts it when it shares the line out, and sends a quarter more than there is room for.
  async begin() {
    await this.#apply({ lines: Infinity, fps: this.#options.maxFramerate, sound: 32_000 });
  }

  async #look() {
    const track = this.#senders.video?.track;
    if (this.#held || this.#busy || !track || track.readyState !== "live" || this.#pc.connectionState !== "connected") return;
    this.#busy = true;
    try {
      const reading = read(await this.#stats());
      if (this.#timer === null || reading.kbps === null) return;
      const now = performance.now();
      let changed = false;
      if (this.#lines !== linesOf(track)) {
        changed = this.#ladder !== null; // another camera
        this.#lines = linesOf(track);
        this.#ladder = new Ladder(this.#options.signs ? SIGNING : TALKING, this.#lines, now);
      }
      const sent = reading.sentKbps(this.#before);
      this.#before = reading;
      if (reading.kbps < PLUNGE * sent && !this.#ladder.paused) {
        const left = await this.#flush();
        if (this.#timer === null) return;
        this.#ladder.plunge(left, performance.now());
        changed = true;
      } else {
        changed = this.#ladder.read(reading.kbps, now) || changed;
      }
      if (changed) await this.#apply(this.#ladder.step);
      this.#tell(reading);
    } finally {
      this.#busy = false;
    }
  }

  #stats() {
    return this.#pc.getStats().catch(() => new Map()); // closed meanwhile
  }

  // Throws away what waits to be sent, an old picture that nobody would see in time; returns what the line carries then.
  async #flush() {
    await change(this.#senders.video, (encoding) => (encoding.active = false));
    await rest(FLUSH_MS);
    return read(await this.#stats()).kbps ?? 0;
  }

  async #apply({ lines, fps, sound }) {
    const { audio, video } = this.#senders;
    const { signs, maxBitrate, maxFramerate } = this.#options;
    const scale = lines > 0 && lines < linesOf(video.track) ? linesOf(video.track) / lines : 1;
    await change(video, (encoding, parameters) => {
      parameters.degradationPreference = lines < OURS ? "maintain-framerate-and-resolution" : signs ? "maintain-framerate" : "balanced";
      encoding.active = fps > 0;
      if (fps > 0) {
        Object.assign(encoding, { maxBitrate, scaleResolutionDownBy: scale, maxFramerate: Math.min(fps, maxFramerate) });
      }
    });
    await change(audio, (encoding) => (encoding.maxBitrate = sound));
  }

  #tell({ kbps, width, fps }) {
    const ladder = this.#ladder;
    const video = ladder.paused ? "paused" : ladder.full ? "full" : "reduced";
    const said = ladder.paused ? video : `${video} ${width}`;
    if (said === this.#shown) return;
    this.#shown = said;
    this.#show({ video, width: ladder.paused ? 0 : width, fps: ladder.paused ? 0 : fps, kbps: Math.round(kbps) });
  }
}

function read(report) {
  const reading = { kbps: null, width: 0, fps: 0, bytes: 0, at: 0, sentKbps };
  report.forEach((entry) => {
    if (entry.type === "candidate-pair" && entry.nominated && entry.availableOutgoingBitrate) {
      reading.kbps = entry.availableOutgoingBitrate / 1000;
    } else if (entry.type === "outbound-rtp" && entry.kind === "video") {
      reading.width = entry.frameWidth ?? 0;
      reading.fps = Math.round(entry.framesPerSecond ?? 0);
      reading.bytes = entry.bytesSent;
      reading.at = entry.timestamp;
    }
  });
  return reading;
}

function sentKbps(before) {
  return before && this.at > before.at ? (8 * (this.bytes - before.bytes)) / (this.at - before.at) : 0;
}

function rest(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

// The shorter side: telephones are held upright.
function linesOf(track) {
  const { width, height } = track?.getSettings() ?? {};
  return Math.min(width || 720, height || 720);
}

async function change(sender, edit) {
  const parameters = sender?.getParameters();
  if (!parameters?.encodings?.length) return;
  edit(parameters.encodings[0], parameters);
  await sender.setParameters(parameters).catch(() => {
    // A browser that doesn't know the word.
    parameters.degradationPreference = "maintain-framerate";
    return sender.setParameters(parameters).catch(() => {});
  });
}
