"""A camera and a microphone whose content is known: a colour and a tone for each side, a flash with a beep each second.

Picture and sound come from one clock in the page (canvas and WebAudio), so whatever is between them in a recording was
put there by the call or the recorder.
"""

SCRIPT = """
(() => {
  const { colour, tone } = KNOWN;
  navigator.mediaDevices.enumerateDevices = async () => [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const audio = new AudioContext({ sampleRate: 48000 });
    await audio.resume();
    const out = audio.createMediaStreamDestination();
    const hum = new OscillatorNode(audio, { frequency: tone });
    const low = new GainNode(audio, { gain: 0.06 });
    hum.connect(low).connect(out);
    hum.start();
    const beep = new OscillatorNode(audio, { frequency: 2000 });
    const gate = new GainNode(audio, { gain: 0 });
    beep.connect(gate).connect(out);
    beep.start();
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 480;
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
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 640, 480);
      paint.fillStyle = flash ? "#fff" : "#000";
      paint.fillRect(220, 140, 200, 200);
      paint.fillStyle = "#fff";
      paint.fillRect((now * 120) % 640, 440, 24, 24);
    };
    draw();
    setInterval(draw, 1000 / 30);
    const stream = canvas.captureStream(30);
    if (wanted.audio) stream.addTrack(out.stream.getAudioTracks()[0]);
    return stream;
  };
})();
"""


def script(colour: str, tone: int) -> str:
    """An init script for a page whose camera shows `colour` (CSS) and whose microphone hums at `tone` Hz."""
    return SCRIPT.replace("KNOWN", f"{{colour: {colour!r}, tone: {tone}}}")
