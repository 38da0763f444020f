// Who is seen in which place of the leg, said once for every participant and track.

export class Places {
  #shown = new Map(); // "mid" → participant and track last announced
  #emit;

  // emit(type, detail): "remote-track" {participant, kind, track, stream} and "remote-gone" {participant}
  constructor(emit) {
    this.#emit = emit;
  }

  // `slots` as the node told them last; `tracks` of the leg by their mid, null without one.
  announce(slots, tracks) {
    for (const { participant, mids } of slots) {
      const before = this.#shown.get(mids[0])?.participant ?? null;
      if (before !== null && before !== participant) {
        mids.forEach((mid) => this.#shown.delete(mid));
        if (!slots.some((slot) => slot.participant === before)) this.#emit("remote-gone", { participant: before });
      }
      if (participant === null || !tracks) continue;
      const here = mids.map((mid) => tracks.get(mid));
      if (here.some((track) => !track) || this.#shown.get(mids[0])?.track === here[0]) continue;
      const stream = new MediaStream(here);
      here.forEach((track, index) => {
        this.#shown.set(mids[index], { participant, track });
        this.#emit("remote-track", { participant, kind: track.kind, track, stream });
      });
    }
  }
}
