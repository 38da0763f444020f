// A leg that lives, others who send, and nothing of it comes: whatever the reason, another leg is the cure.

const UNHEARD_MS = [5000, 20000, 60000]; // so long before the leg is replaced, the first time and the next; then no more

export class Hearing {
  #silent = new Set(); // of whom the node hears nothing either
  #since = null; // when something should have been heard
  #replaced = 0;

  // The node's word about somebody's line.
  told({ participant, level }) {
    this.#silent[level === "silent" ? "add" : "delete"](participant);
  }

  // Whether any of the participants but `self` sends something that should arrive here.
  expects(participants, self) {
    return participants.some(
      ({ id, state, audio, video, held, spared }) =>
        id !== self && state === "here" && !this.#silent.has(id) && (audio || (video && !held && !spared)),
    );
  }

  // Whether the leg should be replaced now. `unheard`: for how long nothing has come, ms; `expected`: something should.
  isDeaf(unheard, expected, now) {
    if (unheard === 0) this.#replaced = 0;
    if (unheard === 0 || !expected) {
      this.#since = null;
      return false;
    }
    this.#since ??= now;
    if (Math.min(unheard, now - this.#since) < (UNHEARD_MS[this.#replaced] ?? Infinity)) return false;
    this.#since = null;
    this.#replaced += 1;
    return true;
  }
}
