// The sheet "Connection": the numbers of one's own line, for the technician on the telephone.
import { QualityProbe } from "/static/meeting/quality.js";
import { digits, make } from "./words.js";

const EVERY_MS = 1000;

export class Connection {
  #probe = null;
  #timer = null;

  // `of(track)`: the name of whose picture it is
  constructor({ button, sheet, list, copy, client, say, of }) {
    Object.assign(this, { sheet, list, copy, client, say, of });
    button.addEventListener("click", () => this.#open());
    sheet.addEventListener("close", () => clearInterval(this.#timer));
    copy.addEventListener("click", () => this.#copy());
  }

  close() {
    if (this.sheet.open) this.sheet.close();
  }

  #open() {
    this.#probe = new QualityProbe();
    this.list.replaceChildren();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#read(), EVERY_MS);
    this.#read();
    this.sheet.showModal();
  }

  async #read() {
    const client = this.client();
    if (!client) return this.close();
    const rows = this.#rows(this.#probe.read(await client.stats()), client);
    rows.forEach(([label, value], index) => {
      const pair = this.list.children[index] ?? this.list.appendChild(make("div", { class: "facts__pair" }, make("dt"), make("dd")));
      if (pair.firstChild.textContent !== label) pair.firstChild.textContent = label;
      if (pair.lastChild.textContent !== value) pair.lastChild.textContent = value;
    });
    while (this.list.children.length > rows.length) this.list.lastChild.remove();
  }

  #rows(now, client) {
    const { say } = this;
    const other = Object.values(now.seen);
    return [
      [say("net_rtt"), now.rtt === null ? "—" : `${digits(Math.round(now.rtt * 1000))} ${say("unit_ms")}`],
      [say("net_loss_up"), now.lossUp === null ? "—" : percent(now.lossUp, say)],
      [say("net_loss_down"), percent(now.loss, say)],
      [say("net_up"), rate(now.up, say)],
      [say("net_down"), rate(now.down, say)],
      [say("net_available"), now.available === null ? "—" : rate(now.available, say)],
      [say("net_sent"), client.participants.find((one) => one.id === client.self)?.held ? say("net_held") : picture(now.sent, say)],
      ...other.map((seen) => [`${say("net_seen")} ${this.of(seen.track) ?? ""}`.trim(), picture(seen, say)]),
      [say("net_way"), now.way === null ? "—" : this.#way(now.way)],
    ];
  }

  #way({ type, protocol }) {
    return type === "relay" ? `${this.say("net_relay")} (${(protocol ?? "udp").toUpperCase()})` : this.say("net_direct");
  }

  async #copy() {
    const lines = [...this.list.children].map((pair) => `${pair.firstChild.textContent}: ${pair.lastChild.textContent}`);
    const text = [new Date().toISOString(), location.host, ...lines].join("\n");
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    this.copy.querySelector("span").textContent = this.say(done ? "net_copied" : "net_not_copied");
  }
}

function percent(share, say) {
  const shown = share > 0 && share < 0.001 ? 0.001 : share;
  return `${decimal(100 * shown, shown > 0 && shown < 0.1 ? 1 : 0, say)}${say("unit_percent")}`;
}

function rate(bits, say) {
  return bits >= 1e6 ? `${decimal(bits / 1e6, 1, say)} ${say("unit_mbit")}` : `${digits(Math.round(bits / 1e3))} ${say("unit_kbit")}`;
}

function picture(shown, say) {
  if (!shown || !shown.width) return "—";
  return `\u2066${digits(shown.width)} × ${digits(shown.height)}\u2069 · ${digits(shown.fps)} ${say("unit_fps")}`;
}

function decimal(value, places, say) {
  return digits(value.toFixed(places)).replace(".", say("decimal"));
}
