// Camera and microphone that are not to be had: which sentence says what to do. The words are in the page (#room-words).

/** Before going in: there is a button "Try again". */
export function reasonOf(code) {
  if (code.startsWith("no_")) return "none";
  return { denied: "denied", busy: "busy", insecure: "insecure", unsupported: "insecure" }[code] ?? "failed";
}

/** In the meeting: there are switches, and the sheet "Devices". */
export function reasonInside(code) {
  if (code.startsWith("no_")) return "in_none";
  return { denied: "in_denied", busy: "in_busy" }[code] ?? "in_failed";
}

/** What ended by itself in mid-call, until it is back or was given up on purpose. Without sound is worse than without picture. */
export class Lacks {
  #lacking = new Map(); // audio, video → words

  // visitor: sits before a screen that is not theirs; show(key or null): until it is over; once(key): for a while
  constructor({ visitor, show, once }) {
    Object.assign(this, { visitor, show, once });
  }

  device({ kind, what }) {
    this.#lacking.delete(kind);
    if (what === "other") this.once("other_microphone");
    else if (what === "denied") this.#lacking.set(kind, "in_denied");
    else if (what === "gone") this.#lacking.set(kind, `gone_${kind}${this.visitor ? "_hall" : ""}`);
    this.show(this.#lacking.get("audio") ?? this.#lacking.get("video") ?? null);
  }

  clear() {
    this.#lacking.clear();
    this.show(null);
  }
}
