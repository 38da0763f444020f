// Several sides of one meeting played as one: in step, waiting for each other, brought back after a break of the line.
const EVERY_MS = 100;
const NEAR = 0.04; // seconds apart that nobody notices
const FAR = 0.35; // beyond it a side is moved, below it it runs a little faster or slower
const MOVE_EVERY_MS = 1500;
const PATIENCE_MS = 400; // a shorter lack of data is not waited for
const ASK_MS = 4000; // whether this person may still watch
const STUCK_MS = 6000;
const RETRIES = 3; // of a side that can't be played although the line is good

export class Sides extends EventTarget {
  /** `recording` is where the server is asked whether it may go on; `length` in seconds. */
  constructor(media, recording, length) {
    super();
    this.length = length;
    this.all = media.map((element) => ({ element, broken: false, dead: false, tries: 0, starved: 0, moved: 0, src: element.getAttribute("src") }));
    this.leaveAt = `/library/${recording}/leave`;
    this.wanted = false;
    this.rate = 1;
    this.waiting = false;
    this.cut = false; // the line is down
    this.over = false; // nothing may be played any more
    this.at = 0;
    this.asked = 0;
    for (const side of this.all) {
      side.element.addEventListener("error", () => this.#failed(side));
      side.element.addEventListener("loadedmetadata", () => this.#loaded(side));
    }
    for (const side of this.all) if (side.element.error) this.#failed(side); // before anybody listened
    setInterval(() => this.#tick(), EVERY_MS);
  }

  get time() {
    return this.at;
  }

  get usable() {
    return this.all.filter((side) => !side.broken && !side.dead);
  }

  go(seconds) {
    this.at = Math.min(Math.max(seconds, 0), Math.max(this.length - 0.1, 0));
    for (const side of this.usable) if (side.element.readyState >= 1) side.element.currentTime = this.at;
    this.#tell("moved");
  }

  play() {
    if (this.over) return;
    if (this.at >= this.length - 0.2) this.go(0);
    this.wanted = true;
    for (const side of this.usable) {
      side.element.preload = "auto";
      this.#start(side);
    }
    this.#tell("changed");
    this.#ask();
  }

  pause() {
    this.wanted = false;
    for (const side of this.all) side.element.pause();
    this.#tell("changed");
  }

  setRate(rate) {
    this.rate = rate;
    for (const side of this.all) side.element.playbackRate = rate;
  }

  /** Nothing of it may stay on the screen or in memory. */
  stop() {
    this.over = true;
    this.pause();
    for (const side of this.all) {
      side.element.removeAttribute("src");
      side.element.load();
    }
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #start(side) {
    side.element.playbackRate = this.rate;
    side.element.play().catch((error) => {
      if (error.name !== "NotAllowedError") return;
      this.wanted = false;
      this.#tell("changed");
      this.#tell("refused");
    });
  }

  #tick() {
    if (this.over) return;
    const usable = this.usable;
    const lead = usable[0]?.element;
    if (!lead) {
      if (this.wanted && !this.all.some((side) => side.broken)) this.pause(); // all are dead
      return;
    }
    if (!lead.seeking && lead.readyState >= 1 && !(this.wanted && this.waiting)) this.at = Math.max(0, lead.currentTime);
    if (this.wanted) this.#keepGoing(usable, lead);
    else if (this.cut && performance.now() - this.asked > ASK_MS) this.#ask();
    this.#tell("tick");
  }

  #keepGoing(usable, lead) {
    const now = performance.now();
    if (lead.ended || this.at >= this.length - 0.05) {
      this.at = this.length;
      this.pause();
      this.#tell("over");
      return;
    }
    if (now - this.asked > ASK_MS) this.#ask();
    let starving = false;
    for (const side of usable) {
      const element = side.element;
      if (element.readyState >= 3 || element.ended) side.starved = 0;
      else side.starved ||= now;
      starving ||= side.starved > 0 && now - side.starved > PATIENCE_MS;
      if (side.starved && now - side.starved > STUCK_MS && !this.cut) this.#failed(side);
    }
    if (starving !== this.waiting) {
      this.waiting = starving;
      this.#tell("changed");
    }
    for (const side of usable) {
      const element = side.element;
      if (starving && !side.starved) element.pause();
      else if (!starving && element.paused && !element.ended) this.#start(side);
    }
    if (!starving) this.#align(usable, lead, now);
  }

  #align(usable, lead, now) {
    for (const side of usable.slice(1)) {
      const element = side.element;
      if (element.seeking || lead.seeking || element.ended) continue;
      const apart = element.currentTime - lead.currentTime;
      if (Math.abs(apart) > FAR && now - side.moved > MOVE_EVERY_MS) {
        side.moved = now;
        element.currentTime = lead.currentTime;
      } else {
        const rate = Math.abs(apart) > NEAR ? this.rate * (apart > 0 ? 0.94 : 1.06) : this.rate;
        if (element.playbackRate !== rate) element.playbackRate = rate;
      }
    }
  }

  #loaded(side) {
    side.broken = false;
    side.starved = 0;
    side.element.playbackRate = this.rate;
    if (this.at > 0) side.element.currentTime = this.at;
    if (this.wanted) this.#start(side);
    this.#tell("changed");
  }

  async #failed(side) {
    if (this.over || side.broken || side.dead) return;
    side.broken = true;
    side.element.pause();
    this.#tell("changed");
    const good = await this.#ask();
    if (this.over) return;
    if (good) side.tries += 1;
    if (side.tries > RETRIES) {
      side.dead = true;
      this.#tell("dead", side.element);
      return;
    }
    setTimeout(() => this.#again(side), good ? 300 * 2 ** side.tries : 2000);
  }

  async #again(side) {
    if (this.over) return;
    if (!(await this.#ask())) {
      setTimeout(() => this.#again(side), 2000);
      return;
    }
    side.broken = false;
    side.starved = 0;
    side.element.src = side.src;
    side.element.load();
    if (this.wanted) this.#start(side);
  }

  /** True when the server answers and lets this person go on watching. */
  async #ask() {
    this.asked = performance.now();
    let good = false;
    try {
      const answer = await fetch(this.leaveAt, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(8000) });
      if (answer.status === 404 || answer.redirected || answer.status === 401) {
        if (!this.over) this.#tell("ended", answer.status === 404 ? "revoked" : "signed-out");
        return false;
      }
      good = answer.ok;
    } catch {
      good = false;
    }
    if (this.cut === good) {
      this.cut = !good;
      this.#tell("changed");
    }
    return good;
  }

  /** A hint said that something about this recording has changed. */
  ask() {
    return this.#ask();
  }
}
