// Which calls are announced, in which order and how: decisions alone, no page and no sound. A call is known by its id.
export const SPOKEN_MS = 90000; // older calls are shown, not spoken (web/hall/calls.py)
export const LONG_S = 20; // beyond it the waiting calls are said in their short form
const FULL_S = 9; // chime, number and counter in two languages
const REMEMBERED = 300;

/** The queue with what is new in `calls` (oldest first) behind it. `said` is the call being said just now. A recall that
    comes before its call was said takes that one's turn: one is enough, and `covers` remembers the other. */
export function queue(waiting, calls, known, said) {
  const line = [...waiting];
  for (const call of calls) {
    if (known.has(call.id) || call.id === said || line.some((one) => one.id === call.id || one.covers.includes(call.id))) continue;
    const at = line.findIndex((one) => one.ticket === call.ticket && one.counter === call.counter);
    if (at < 0) line.push({ ...call, covers: [] });
    else line[at] = { ...call, covers: [...line[at].covers, line[at].id] };
  }
  return line;
}

/** Whether a call that waits for its turn has been taken back: the server lists it no more, though it is still young. */
export const withdrawn = (call, listed, now) => !listed.has(call.id) && now - call.at < SPOKEN_MS - 2000;

/** `waiting` counts this call too. */
export const isShort = (waiting) => waiting * FULL_S > LONG_S;

/** The languages of a call in their order: Arabic, then English; the visitor's first if that isn't Arabic. */
export function tongues(call, { english, short }) {
  const arabic = call.language === "ar";
  const order = arabic ? ["ar", "en"] : ["en", "ar"];
  if (short) return order.slice(0, 1);
  return arabic && !english ? ["ar"] : order;
}

/** Ids to keep over a reload: those just said, the newest last. */
export const remembered = (ids) => [...ids].slice(-REMEMBERED);
