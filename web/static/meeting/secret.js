// The secret for coming back, kept where a reload of this tab finds it and no other tab does.

export class Secret {
  #storage;
  #key;

  // `storage` may be null: then it is kept in memory only. `token` tells whose it is.
  constructor(storage, token) {
    this.#storage = storage;
    this.#key = keyOf(token);
    this.value = storage?.getItem(this.#key) ?? null;
  }

  // null forgets it.
  keep(value, token) {
    this.value = value;
    if (token) this.#key = keyOf(token);
    try {
      for (const key of [this.#key, GENERAL]) {
        if (value) this.#storage?.setItem(key, value);
        else this.#storage?.removeItem(key);
      }
    } catch {
      // A full or forbidden storage costs only the comfort of reloading.
    }
  }
}

const GENERAL = "majlis.resume"; // where a tab looks that has no token

function keyOf(token) {
  try {
    const payload = token.split(".")[0].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return `${GENERAL}.${claims.meeting_id}.${claims.participant_id}`;
  } catch {
    return GENERAL;
  }
}
