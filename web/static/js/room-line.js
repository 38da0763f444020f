// What is said of everybody's line: bars beside each name, one sentence where something is wrong, calmly and once.
import { iconElement, make } from "./words.js";
import { barsOf, lineWord, mySentence, theirSentence } from "./room-verdicts.js";

const BETWEEN_MS = 4000; // between two announcements to a screen reader
const NOTICE_MS = 8000;

export class Lines {
  #told = new Map(); // id → the node's last verdict
  #own = {}; // the browser's own
  #people = [];
  #state = "new";
  #held = false;
  #alarm = null;
  #lack = null;
  #notice = null;
  #noticeTimer = null;
  #said = "";
  #wasTrouble = false;
  #saidAt = -Infinity;
  #sayTimer = null;

  // `stage` the faces; `present` the list; `trouble` the line above the stage; `voice` and `siren` live regions
  constructor({ me, role, say, name, stage, present, trouble, voice, siren }) {
    Object.assign(this, { me, role, say, name, stage, present, trouble, voice, siren });
  }

  people(list) {
    this.#people = list.filter((one) => one.state !== "lobby");
    for (const id of this.#told.keys()) if (!this.#people.some((one) => one.id === id)) this.#told.delete(id);
    this.#show();
  }

  quality({ participant, level, why = null, ...numbers }) {
    if (participant === this.me && "rtt" in numbers) this.#own = { level, why };
    else this.#told.set(participant, { level, why });
    this.#show();
  }

  state(state) {
    this.#state = state;
    if (state !== "here") this.#own = {};
    this.#show();
  }

  /** full, reduced, paused: what the line leaves of one's own picture. */
  sending(picture) {
    const held = picture === "paused";
    if (held === this.#held) return;
    this.#held = held;
    this.#show();
  }

  /** What must stand until it is over: the recording has failed. */
  alarm(key) {
    if (key !== this.#alarm) this.siren.textContent = key ? this.say(key) : "";
    this.#alarm = key;
    this.#show();
  }

  /** What must stand until it is mended: nothing comes from one's own microphone or camera. */
  lack(key) {
    if (key === this.#lack) return;
    this.#lack = key;
    this.#show();
  }

  /** What is said for a while: a device that could not be opened. */
  notice(key) {
    clearTimeout(this.#noticeTimer);
    this.#notice = key;
    this.#noticeTimer = setTimeout(() => {
      this.#notice = null;
      this.#show();
    }, NOTICE_MS);
    this.#show();
  }

  clear() {
    clearTimeout(this.#noticeTimer);
    clearTimeout(this.#sayTimer);
    this.#people = [];
    this.#told.clear();
    this.#alarm = this.#notice = this.#lack = null;
    this.#state = "closed";
    this.#said = "";
    this.#show();
    this.voice.textContent = this.siren.textContent = "";
  }

  #show() {
    const mine = this.#aboutMe();
    const troubles = [this.#lack, mine].filter(Boolean).map((key) => this.say(key));
    const entries = this.#people.map((one) => {
      const self = one.id === this.me;
      const line = this.#told.get(one.id);
      const away = one.state === "reconnecting";
      const bars = self ? Math.min(barsOf(line), barsOf(this.#own)) : barsOf(line, away);
      if (!self) {
        const key = theirSentence(one, line, mine !== null);
        const text = key && this.say(key).replace("{name}", `\u2068${this.name(one)}\u2069`);
        if (text) troubles.push(text);
        this.stage.trouble(one.id, text, bars);
      }
      return this.#entry(one, self, away, bars);
    });
    this.present.replaceChildren(...entries);
    const shown = this.#alarm ?? this.#notice ?? this.#lack ?? mine;
    this.trouble.hidden = !shown;
    this.trouble.classList.toggle("room__trouble--alarm", this.#alarm !== null);
    if (shown && this.trouble.dataset.key !== shown) {
      this.trouble.replaceChildren(iconElement(this.#alarm ? "warning" : this.#notice || this.#lack ? "settings" : "signal"), make("span", {}, this.say(shown)));
    }
    this.trouble.dataset.key = shown ?? "";
    if (troubles.length) this.#wasTrouble = true;
    this.#announce([this.#notice && this.say(this.#notice), ...troubles].filter(Boolean).join(" "));
  }

  #aboutMe() {
    if (!["here", "reconnecting"].includes(this.#state)) return null;
    const told = this.#told.get(this.me);
    return mySentence({ state: this.#state, held: this.#held, own: this.#own, told, visitor: this.role === "visitor" });
  }

  #entry(one, self, away, bars) {
    const side = away ? this.say("away") : this.say(`role_${one.role}`);
    return make(
      "li",
      { class: `present__one${away ? " present__one--away" : ""}`, "data-participant": one.id },
      barsElement(bars, this.say(lineWord(bars))),
      make("bdi", {}, self ? this.say("you") : this.name(one)),
      make("span", { class: "soft" }, side),
    );
  }

  // Politely: the last state of things, at most once in some seconds, and never the same twice.
  #announce(text) {
    if (text === this.#said) {
      clearTimeout(this.#sayTimer);
      return;
    }
    const wait = this.#saidAt + BETWEEN_MS - performance.now();
    clearTimeout(this.#sayTimer);
    if (wait > 0) {
      this.#sayTimer = setTimeout(() => this.#announce(text), wait);
      return;
    }
    this.#said = text;
    this.#saidAt = performance.now();
    this.voice.textContent = text || (this.#wasTrouble ? this.say("line_again") : "");
    if (!text) this.#wasTrouble = false;
  }
}

/** Three bars, `count` of them lit; `label` says the same in words. */
export function barsElement(count, label) {
  const bars = make("span", { class: `bars bars--${count}`, "data-bars": count, title: label }, make("i"), make("i"), make("i"));
  if (label) {
    bars.setAttribute("role", "img");
    bars.setAttribute("aria-label", label);
  } else {
    bars.setAttribute("aria-hidden", "true");
  }
  return bars;
}
