"""A camera and a microphone whose content is known: a colour and a tone for each side, a flash with a beep each second,
and the wall clock as a row of sixteen black or white fields at the upper edge (`CLOCK`).

`window.known.resize(width, height)` gives the camera another size while it runs. Picture and sound come from one clock
in the page (canvas and WebAudio), so whatever is between them in a recording was put there by the call or the recorder.
"""

from collections.abc import Sequence

SCRIPT = """
(() => {
  const { colour, tone, pitch, width, height } = KNOWN;
  navigator.mediaDevices.enumerateDevices = async () => [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const audio = new AudioContext({ sampleRate: 48000 });
    await audio.resume();
    const out = audio.createMediaStreamDestination();
    const hum = new OscillatorNode(audio, { frequency: tone });
    const low = new GainNode(audio, { gain: 0.06 });
    hum.connect(low).connect(out);
    hum.start();
    const beep = new OscillatorNode(audio, { frequency: pitch });
    const gate = new GainNode(audio, { gain: 0 });
    beep.connect(gate).connect(out);
    beep.start();
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    window.known = { resize: (wide, high) => Object.assign(canvas, { width: wide, height: high }) };
    const paint = canvas.getContext("2d");
    let beeped = 0;
    const draw = () => {
      const now = audio.currentTime;
      const second = Math.ceil(now + 0.2);
      if (second > beeped) {
        beeped = second;
        gate.gain.setValueAtTime(0.5, second);
        gate.gain.setValueAtTime(0, second + 0.12);
      }
      const flash = now % 1 < 0.12 && now > 1;
      paint.setTransform(canvas.width / 640, 0, 0, canvas.height / 480, 0, 0);
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 640, 480);
      paint.fillStyle = flash ? "#fff" : "#000";
      paint.fillRect(220, 140, 200, 200);
      paint.fillStyle = "#fff";
      paint.fillRect((now * 120) % 640, 440, 24, 24);
      const ticks = Math.floor(Date.now() / 50) % 65536;
      for (let bit = 0; bit < 16; bit += 1) {
        paint.fillStyle = (ticks >> (15 - bit)) & 1 ? "#fff" : "#000";
        paint.fillRect(bit * 40, 0, 40, 40);
      }
    };
    draw();
    setInterval(draw, 1000 / 30);
    const stream = canvas.captureStream(30);
    if (wanted.audio) stream.addTrack(out.stream.getAudioTracks()[0]);
    return stream;
  };
})();
"""


TICK_S = 0.05
CLOCK = [((bit + 0.5) / 16, 20 / 480) for bit in range(16)]
"""Where the fields are, as shares of width and height, the most significant one first; they count ticks since 1970."""


def script(colour: str, tone: int, *, pitch: int = 2000, size: tuple[int, int] = (640, 480)) -> str:
    """An init script for a page whose camera shows `colour` (CSS), whose microphone hums at `tone` Hz and beeps at
    `pitch` Hz."""
    known = f"{{colour: {colour!r}, tone: {tone}, pitch: {pitch}, width: {size[0]}, height: {size[1]}}}"
    return SCRIPT.replace("KNOWN", known)


def shown_at(bright: Sequence[float], started: float) -> float:
    """Seconds after `started` (since 1970) at which the fields were painted; `bright`: each one's level, 0 to 255."""
    ticks = sum((value > 140) << (15 - bit) for bit, value in enumerate(bright))
    behind = (ticks - round(started / TICK_S)) % 65536
    return (behind if behind < 32768 else behind - 65536) * TICK_S
