// What a person writes, kept until the node has taken it: sent again after every break, in order, and never twice (the
// node knows by `writer` and `number` what it has). Of a line that grows only its latest state is kept.

const AT_ONCE = 20; // unanswered; more would look like a flood after a long break
const ANSWER_MS = 2000; // an answer that takes longer is a reason to doubt the link
const LONGEST = 2000;

export class Writing {
  #send;
  #doubt;
  #writer = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  #waiting = [];
  #number = 0;
  #line = 0;
  #sent = 0; // the highest number that was said on this link
  #open = false;
  #timer = null;

  // send(values) puts one text on the link; doubt() is called when it stays unanswered
  constructor(send, doubt) {
    this.#send = send;
    this.#doubt = doubt;
  }

  get waiting() {
    return this.#waiting.length;
  }

  write(text, final) {
    const last = this.#waiting.at(-1);
    if (last && !last.final) this.#waiting.pop();
    this.#waiting.push({ number: ++this.#number, line: this.#line, text: text.slice(0, LONGEST), final });
    if (final) this.#line += 1;
    this.#flush();
  }

  // The link leads to the meeting: whatever is unanswered is said (again).
  opened() {
    this.#open = true;
    this.#sent = 0;
    this.#flush();
  }

  closed() {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  taken(number) {
    this.#waiting = this.#waiting.filter((one) => one.number > number);
    this.#flush();
  }

  #flush() {
    if (!this.#open) return;
    for (const one of this.#waiting.slice(0, AT_ONCE)) {
      if (one.number <= this.#sent) continue;
      this.#send({ writer: this.#writer, ...one });
      this.#sent = one.number;
    }
    if (this.#waiting.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = null;
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#doubt();
        this.#flush();
      }, ANSWER_MS);
    }
  }
}
