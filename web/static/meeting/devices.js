// Camera and microphone: opening, listing, measuring. Every failure becomes one of a few codes that a page can
// put into words in the reader's language.

export const VIDEO = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
};

// Between a hall's large screen and the office every fault shows: full HD where the camera has it.
export const LARGE = {
  width: { ideal: 1920 },
  height: { ideal: 1080 },
  frameRate: { ideal: 30, max: 30 },
};

let shape = VIDEO; // what was asked for last: a camera that is switched off and on, or changed, keeps it

export const AUDIO = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  channelCount: 1,
};

// Codes: denied, no_camera, no_microphone, no_devices, busy, insecure, unsupported, fault.
export class DeviceError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.name = "DeviceError";
    this.code = code;
  }
}

// Opens what is asked for. With `partial` (the default), a missing camera or microphone doesn't stop the other:
// the result says what is missing. Returns {stream, missing: [code, …]}; throws DeviceError when nothing opens.
export async function openDevices({
  audio = true,
  video = true,
  cameraId,
  microphoneId,
  large = false,
  partial = true,
} = {}) {
  assertPossible();
  shape = large ? LARGE : VIDEO;
  const wanted = {
    audio: audio && { ...AUDIO, ...(microphoneId && { deviceId: { exact: microphoneId } }) },
    video: video && { ...shape, ...(cameraId && { deviceId: { exact: cameraId } }) },
  };
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(wanted), missing: [] };
  } catch (error) {
    const code = codeOf(error, audio, video);
    if (!partial || !audio || !video || code === "denied") throw new DeviceError(code, error);
  }
  const stream = new MediaStream();
  const missing = [];
  for (const kind of ["audio", "video"]) {
    try {
      const one = await navigator.mediaDevices.getUserMedia({ [kind]: wanted[kind] });
      one.getTracks().forEach((track) => stream.addTrack(track));
    } catch (error) {
      missing.push(codeOf(error, kind === "audio", kind === "video"));
    }
  }
  if (!stream.getTracks().length) {
    const nothing = missing.every((code) => code.startsWith("no_"));
    throw new DeviceError(nothing ? "no_devices" : missing.find((code) => !code.startsWith("no_")));
  }
  return { stream, missing };
}

// Opens one device alone; `kind` is "audio" or "video".
export async function openTrack(kind, deviceId) {
  assertPossible();
  const base = kind === "audio" ? AUDIO : shape;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      [kind]: { ...base, ...(deviceId && { deviceId: { exact: deviceId } }) },
    });
    return stream.getTracks()[0];
  } catch (error) {
    throw new DeviceError(codeOf(error, kind === "audio", kind === "video"), error);
  }
}

// {cameras, microphones, speakers}, each [{id, label}]. Labels are empty until a device was opened once.
export async function listDevices() {
  assertPossible();
  const found = { videoinput: [], audioinput: [], audiooutput: [] };
  for (const device of await navigator.mediaDevices.enumerateDevices()) {
    found[device.kind]?.push({ id: device.deviceId, label: device.label });
  }
  return { cameras: found.videoinput, microphones: found.audioinput, speakers: found.audiooutput };
}

// Calls `show(level)` some twenty times a second, 0 (silence) to 1 (full scale, on a decibel scale from -60).
// Returns a function that stops it.
export function levelMeter(stream, show) {
  const tracks = stream.getAudioTracks();
  if (!tracks.length) return () => {};
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  const source = context.createMediaStreamSource(new MediaStream(tracks));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
    show(Math.min(1, Math.max(0, 1 + decibels / 60)));
  }, 50);
  return () => {
    clearInterval(timer);
    source.disconnect();
    context.close().catch(() => {});
  };
}

function assertPossible() {
  if (!window.isSecureContext) throw new DeviceError("insecure");
  if (!navigator.mediaDevices?.getUserMedia) throw new DeviceError("unsupported");
}

function codeOf(error, audio, video) {
  switch (error?.name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
      return "denied";
    case "SecurityError":
      return "insecure";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "busy";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return audio && video ? "no_devices" : video ? "no_camera" : "no_microphone";
    default:
      return "fault";
  }
}
