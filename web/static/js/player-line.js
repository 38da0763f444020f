// The line of time: sound as a curve for each side, gaps, stills, marks; pressed, dragged and stepped along. It runs in
// the page's direction, so an Arabic reader's beginning is on the right.
import { show } from "./player-time.js";
import { make } from "./words.js";

const SNAP_PX = 7;
const LANE = 34;

export class Line {
  constructor(root, sides, length, go) {
    this.root = root;
    this.length = length;
    this.go = go;
    this.gaps = sides.map((side) => ({ id: side.dataset.side, gaps: side.querySelector("video") ? JSON.parse(side.dataset.gaps || "[]") : [] }));
    this.strip = null;
    this.picture = null;
    this.at = 0;
    this.chapters = [];
    this.wave = root.querySelector("#wave");
    this.slider = root.querySelector("#seek");
    this.now = root.querySelector("#now");
    this.peek = root.querySelector("#peek");
    this.rtl = getComputedStyle(root).direction === "rtl";
    this.slider.addEventListener("pointerdown", (event) => this.#press(event));
    this.slider.addEventListener("pointermove", (event) => this.#hover(event));
    this.slider.addEventListener("pointerleave", () => (this.peek.hidden = true));
    new ResizeObserver(() => this.#draw()).observe(root);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  }

  /** What the server drew, once it is there. */
  async load(recording) {
    if (this.strip) return;
    try {
      const answer = await fetch(`/library/${recording}/strip`, { credentials: "same-origin" });
      if (answer.status !== 200) return;
      const strip = await answer.json();
      for (const id of Object.keys(strip.peaks)) strip.peaks[id] = Uint8Array.from(atob(strip.peaks[id]), (letter) => letter.charCodeAt(0));
      this.strip = strip;
      if (strip.moments.length) {
        const stills = await fetch(`/library/${recording}/stills`, { credentials: "same-origin" });
        if (stills.status === 200) this.picture = `url("${URL.createObjectURL(await stills.blob())}")`;
      }
      this.root.dataset.drawn = "";
      this.#draw();
    } catch {
      // the line of time is there without it; the next hint asks again
    }
  }

  /** `chapters`: [{ at, start, kind, text }]. */
  mark(chapters) {
    this.chapters = chapters;
    this.root.querySelector("#marks").replaceChildren(
      ...chapters
        .filter(({ kind }) => kind !== "gap")
        .map(({ at, kind }) => {
          const sign = make("i", { class: `track__mark track__mark--${kind}` });
          sign.style.insetInlineStart = `${(100 * at) / this.length}%`;
          return sign;
        }),
    );
  }

  show(seconds) {
    this.at = seconds;
    this.now.style.insetInlineStart = `${(100 * seconds) / this.length}%`;
    const whole = String(Math.round(seconds));
    if (this.slider.getAttribute("aria-valuenow") !== whole) {
      this.slider.setAttribute("aria-valuenow", whole);
      this.slider.setAttribute("aria-valuetext", show(seconds));
    }
    const column = Math.round((this.wave.width * seconds) / this.length);
    if (column !== this.column) {
      this.column = column;
      this.draw();
    }
  }

  #second(event) {
    const box = this.slider.getBoundingClientRect();
    const along = this.rtl ? box.right - event.clientX : event.clientX - box.left;
    return Math.min(Math.max(along / box.width, 0), 1) * this.length;
  }

  #near(seconds) {
    const reach = (SNAP_PX / this.slider.clientWidth) * this.length;
    return this.chapters.filter(({ kind, at }) => kind !== "gap" && Math.abs(at - seconds) <= reach).sort((a, b) => Math.abs(a.at - seconds) - Math.abs(b.at - seconds))[0];
  }

  #press(event) {
    if (event.button) return;
    this.slider.setPointerCapture(event.pointerId);
    const first = this.#second(event);
    this.go(this.#near(first)?.start ?? first);
    const move = (later) => this.go(this.#second(later));
    this.slider.addEventListener("pointermove", move);
    const end = () => this.slider.removeEventListener("pointermove", move);
    this.slider.addEventListener("pointerup", end, { once: true });
    this.slider.addEventListener("pointercancel", end, { once: true });
  }

  #hover(event) {
    if (event.pointerType === "touch") return;
    const seconds = this.#second(event);
    const chapter = this.#near(seconds) ?? this.#gapAt(seconds);
    this.peek.hidden = false;
    this.peek.querySelector(".track__at").textContent = show(seconds);
    this.peek.querySelector(".track__what").textContent = chapter?.text ?? "";
    this.#still(this.peek.querySelector(".track__still"), seconds, 2);
    const share = seconds / this.length;
    const half = this.peek.offsetWidth / 2 / this.root.clientWidth;
    this.peek.style.insetInlineStart = `${100 * Math.min(Math.max(share, half), 1 - half)}%`;
  }

  #gapAt(seconds) {
    return this.chapters.filter(({ kind, at }) => kind === "gap" && at <= seconds && seconds - at < 30).at(-1);
  }

  /** Puts the still of that moment into an element. False when there is none. */
  #still(element, seconds, scale = 1) {
    const strip = this.strip;
    let best = -1;
    strip?.moments.forEach((at, n) => {
      if (!strip.blank.includes(n) && (best < 0 || Math.abs(at - seconds) < Math.abs(strip.moments[best] - seconds))) best = n;
    });
    element.hidden = best < 0 || !this.picture;
    if (element.hidden) return false;
    const [wide, high] = strip.tile;
    const rows = Math.ceil(strip.moments.length / strip.columns);
    Object.assign(element.style, {
      inlineSize: `${wide * scale}px`,
      blockSize: `${high * scale}px`,
      backgroundImage: this.picture,
      backgroundSize: `${strip.columns * wide * scale}px ${rows * high * scale}px`,
      backgroundPosition: `${-(best % strip.columns) * wide * scale}px ${-Math.floor(best / strip.columns) * high * scale}px`,
    });
    return true;
  }

  #draw() {
    const box = this.root.querySelector("#stills");
    const drawn = Boolean(this.strip && this.picture);
    box.hidden = !drawn;
    if (drawn) {
      const scale = 0.75;
      const count = Math.max(1, Math.floor(this.root.clientWidth / (this.strip.tile[0] * scale + 2)));
      box.replaceChildren(
        ...Array.from({ length: count }, (_, n) => {
          const cell = make("div", { class: "track__cell" });
          this.#still(cell, ((n + 0.5) * this.length) / count, scale);
          return cell;
        }),
      );
    }
    const lanes = this.gaps.length;
    const ratio = window.devicePixelRatio || 1;
    this.wave.width = Math.round(this.root.clientWidth * ratio);
    this.wave.height = Math.round(lanes * LANE * ratio);
    this.wave.style.blockSize = `${lanes * LANE}px`;
    this.draw();
  }

  draw() {
    const { width, height } = this.wave;
    if (!width) return;
    const brush = this.wave.getContext("2d");
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(name);
    const ratio = window.devicePixelRatio || 1;
    const lane = height / this.gaps.length;
    brush.setTransform(this.rtl ? -1 : 1, 0, 0, 1, this.rtl ? width : 0, 0);
    brush.clearRect(0, 0, width, height);
    const played = (this.at / this.length) * width;
    this.gaps.forEach(({ id, gaps }, n) => {
      const middle = lane * (n + 0.5);
      for (const [kind, from, to] of gaps) {
        if (kind !== "video") continue;
        const [x, wide] = [(from / this.length) * width, Math.max(((to - from) / this.length) * width, 2)];
        brush.fillStyle = colour("--wait-wash");
        brush.fillRect(x, lane * n + 2, wide, lane - 4);
        brush.strokeStyle = colour("--wait-fill");
        brush.lineWidth = ratio;
        brush.save();
        brush.beginPath();
        brush.rect(x, lane * n + 2, wide, lane - 4);
        brush.clip();
        brush.beginPath();
        for (let line = x - lane; line < x + wide; line += 7 * ratio) {
          brush.moveTo(line, lane * (n + 1));
          brush.lineTo(line + lane, lane * n);
        }
        brush.stroke();
        brush.restore();
      }
      const peaks = this.strip?.peaks[id];
      const step = 3 * ratio;
      for (let x = 0; x < width; x += step) {
        let high = 0;
        if (peaks) {
          const [from, to] = [Math.floor((x / width) * peaks.length), Math.max(Math.floor(((x + step) / width) * peaks.length), Math.floor((x / width) * peaks.length) + 1)];
          for (let i = from; i < to && i < peaks.length; i += 1) high = Math.max(high, peaks[i]);
        }
        const tall = Math.max(ratio * 2, Math.sqrt(high / 255) * (lane - 6 * ratio));
        brush.fillStyle = x < played ? colour("--action") : colour("--edge");
        brush.fillRect(x, middle - tall / 2, step - ratio, tall);
      }
    });
  }
}
