// Real-time text: what is written is read letter by letter (ITU-T T.140), for those who don't hear or don't speak.
import { make } from "./words.js";

const KEPT = 3; // lines on the screen
const GONE_MS = 12000;

export class Written {
  #names = new Map();
  #lines = new Map();

  constructor({ form, line, log, button, send }) {
    Object.assign(this, { form, line, log, button, send });
    button.addEventListener("click", () => this.#toggle());
    line.addEventListener("input", () => this.send(line.value, false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!line.value.trim()) return;
      this.send(line.value, true);
      this.show({ participant: "me", line: Date.now(), text: line.value, final: true });
      line.value = "";
    });
  }

  /** [[id, name]] of those in the room. */
  know(names) {
    this.#names = new Map(names);
  }

  allow(on) {
    if (on) return;
    this.form.hidden = true;
    this.log.hidden = true;
    this.button.setAttribute("aria-pressed", "false");
  }

  show({ participant, line, text, final }) {
    const key = `${participant} ${line}`;
    let shown = this.#lines.get(key);
    if (!shown) {
      shown = make("p", { class: "captions__line", dir: "auto" }, make("bdi", { class: "captions__who" }, this.#names.get(participant) ?? ""), " ", make("span", {}));
      this.#lines.set(key, shown);
      this.log.append(shown);
    }
    shown.lastChild.textContent = text;
    this.log.hidden = false;
    while (this.log.children.length > KEPT) this.log.firstChild.remove();
    if (final) {
      this.#lines.delete(key);
      setTimeout(() => {
        shown.remove();
        this.log.hidden = !this.log.children.length;
      }, GONE_MS);
    }
  }

  #toggle() {
    this.form.hidden = !this.form.hidden;
    this.button.setAttribute("aria-pressed", String(!this.form.hidden));
    if (!this.form.hidden) this.line.focus();
  }
}
