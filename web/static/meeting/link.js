// The signalling connection, as one that may always be asked for: it notices when nobody answers any more, and opens
// another, as quickly as a network that has just come back allows. What is said on it is the client's business.

const PING_MS = 5000;
const PATIENCE_MS = 5000; // an answer may take so long while all is well
const DOUBT_MS = 2000; // and so long when there is reason to doubt
const SLEPT_MS = 4000; // a clock of one second that is later than this has slept
const STALE_MS = 500; // an attempt older than this is worth less than a new one, once the network is back

// How long an attempt may take. A lost first packet is sent again after 1, 3, 7, 15 seconds: a new attempt is quicker.
// Chromium slows a page down that fails dozens of times within minutes, so attempts become rarer.
// Every fourth may take longer: a server that has just started on a crowded machine answers late, but answers.
const OPEN_MS = [1500, 1500, 1500, 4000, 1500, 1500, 1500, 4000, 2000, 2000, 2000, 5000, 2000, 2000, 2000, 5000, 5000, 10000];
const FIRST_OPEN_MS = 15000; // nothing is known of the way yet
const BACKOFF_MS = [300, 700, 1500, 1500, 1500, 1500, 1500, 1500, 2500, 2500, 2500, 2500, 2500, 2500, 2500, 5000, 10000];

// Events: "open"; "message" (detail: the message); "lost" (detail: the close reason, or null where the connection broke).
export class Link extends EventTarget {
  #url;
  #socket = null;
  #attempts = 0;
  #triedAt = 0;
  #retry = null;
  #limit = null;
  #clock = null;
  #lookedAt = 0;
  #pingedAt = 0;
  #asked = null; // when the oldest unanswered question was put
  #doubted = null;
  #check = null;
  #trip = 0; // of a question and its answer, ms, the latest
  #opened = null; // ms that opening took, at best
  heardAt = 0;

  constructor(url) {
    super();
    this.#url = url;
  }

  start() {
    this.#lookedAt = Date.now();
    this.#clock = setInterval(() => this.#look(), 1000);
    this.#connect();
  }

  stop() {
    clearInterval(this.#clock);
    this.#drop();
    this.#clock = null;
  }

  send(type, values = {}) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type, ...values }));
  }

  // Opens another: after the usual pause, or after `delay`.
  again(delay = null) {
    if (this.#clock === null || this.#socket) return;
    const pause = BACKOFF_MS[Math.min(this.#attempts, BACKOFF_MS.length - 1)] * (0.8 + 0.4 * Math.random());
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), delay ?? pause);
  }

  // Everything is well: whoever is refused from now on starts counting again.
  settle() {
    this.#attempts = 0;
  }

  // There is reason to doubt that anybody hears: asks, and doesn't wait long for the answer.
  ask() {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#doubted !== null) return;
    this.#doubted = Date.now();
    this.#ping();
    clearTimeout(this.#check);
    this.#check = setTimeout(() => this.#judge(), this.#patience() + 10);
  }

  // Something happened to the network, or may have: asks, or tries again at once.
  doubt() {
    if (this.#clock === null) return;
    if (this.#socket === null) {
      if (this.#retry !== null) this.again(0);
    } else if (this.#socket.readyState === WebSocket.CONNECTING) {
      if (Date.now() - this.#triedAt > STALE_MS + 2 * (this.#opened ?? FIRST_OPEN_MS)) this.#lose(null, 0);
    } else {
      this.ask();
    }
  }

  #patience() {
    return this.#doubted === null ? PATIENCE_MS : Math.max(DOUBT_MS, 4 * this.#trip);
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#retry = null;
    if (this.#socket) return;
    const socket = new WebSocket(new URL(this.#url, location.href.replace(/^http/, "ws")));
    this.#socket = socket;
    this.#triedAt = Date.now();
    this.#asked = this.#doubted = null;
    const most = this.#opened === null ? FIRST_OPEN_MS : OPEN_MS[Math.min(this.#attempts, OPEN_MS.length - 1)];
    this.#attempts += 1;
    this.#limit = setTimeout(() => this.#lose(null, 0), Math.max(most, 3 * (this.#opened ?? 0)));
    let reason = null;
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#limit);
      this.#opened = Math.min(this.#opened ?? Infinity, Date.now() - this.#triedAt);
      this.#asked = this.#pingedAt = Date.now(); // the first message is a question too
      this.dispatchEvent(new Event("open"));
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "close") reason = message.reason;
      else if (socket === this.#socket) this.#heard(message);
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#lose(reason);
    });
  }

  #heard(message) {
    this.heardAt = Date.now();
    this.#asked = this.#doubted = null;
    if (message.type === "pong" && message.t) this.#trip = this.heardAt - message.t;
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #ping() {
    this.#pingedAt = Date.now();
    this.#asked ??= this.#pingedAt;
    this.send("ping", { t: this.#pingedAt });
  }

  // Each second.
  #look() {
    const now = Date.now();
    const late = now - this.#lookedAt;
    this.#lookedAt = now;
    if (late > SLEPT_MS || late < 0) {
      this.#asked = null; // what was unanswered may wait to be read
      this.doubt();
    } else {
      this.#judge();
      if (this.#socket?.readyState === WebSocket.OPEN && now - this.#pingedAt >= PING_MS) this.#ping();
    }
  }

  #judge() {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#asked === null) return;
    const since = this.#doubted === null ? this.#asked : Math.max(this.#asked, this.#doubted);
    if (Date.now() - since >= this.#patience()) this.#lose(null, 0);
  }

  #drop() {
    for (const timer of [this.#retry, this.#limit, this.#check]) clearTimeout(timer);
    this.#retry = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  // `delay`: when to try again, if the client has nothing against it.
  #lose(reason, delay = null) {
    this.#drop();
    this.dispatchEvent(new CustomEvent("lost", { detail: { reason, delay } }));
  }
}
