// Before joining: is the loudspeaker heard, and does the line answer fast enough?

/** Three soft notes. */
export function chime() {
  const audio = new AudioContext();
  [523.25, 659.25, 783.99].forEach((hertz, step) => {
    const at = audio.currentTime + 0.05 + step * 0.22;
    const note = new OscillatorNode(audio, { frequency: hertz });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
    note.connect(gain).connect(audio.destination);
    note.start(at);
    note.stop(at + 0.65);
  });
  setTimeout(() => audio.close(), 1800);
}

/** "line_good", "line_slow" or "line_lost": the median of five round trips to our own server. */
export async function measureLine() {
  const trips = [];
  for (let n = 0; n < 5; n += 1) {
    const from = performance.now();
    try {
      const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(3000) });
      if (!answer.ok) return "line_lost";
    } catch {
      return "line_lost";
    }
    trips.push(performance.now() - from);
  }
  return trips.sort((a, b) => a - b)[2] < 250 ? "line_good" : "line_slow";
}
