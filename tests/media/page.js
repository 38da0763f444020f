// The test's page: opens the devices, joins, and keeps what happened where a test can read it.
import { MeetingClient } from "/static/meeting/client.js";
import { openDevices } from "/static/meeting/devices.js";

const rig = { events: [], streams: {}, client: null, sockets: [], peers: 0 };
window.rig = rig;
window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    rig.sockets.push(this);
  }
};
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration) {
    super(configuration);
    rig.peers += 1;
  }
};

rig.join = async (token, options = {}) => {
  const { stream } = options.stream === null ? { stream: null } : await openDevices({ large: options.large === true });
  const client = new MeetingClient({ url: "/media/ws", token, stream, ...options });
  rig.client = client;
  for (const type of [
    "state", "presence", "remote-track", "remote-gone", "recording", "quality", "sending", "text", "marked", "refused",
    "closed", "device", "error",
  ]) {
    client.addEventListener(type, ({ detail }) => {
      if (type === "remote-track") {
        show(detail);
        rig.events.push([type, { participant: detail.participant, kind: detail.kind }]);
      } else {
        rig.events.push([type, JSON.parse(JSON.stringify(detail))]);
      }
    });
  }
  client.start();
};

function show({ participant, stream }) {
  let video = rig.streams[participant];
  if (!video) {
    video = document.createElement("video");
    video.autoplay = true;
    video.playsInline = true;
    document.body.append(video);
    rig.streams[participant] = video;
  }
  video.srcObject = stream;
}

rig.numbers = async () => {
  const found = {
    state: rig.client?.state, framesDecoded: 0, keyFrames: 0, audioEnergy: 0, packets: 0, bytesSent: 0, freezes: 0,
    pc: 0, frameWidth: 0, lost: 0, jitterBuffer: 0, nack: 0, sentBitrate: 0, rtx: 0, limited: null, available: 0,
  };
  (await rig.client.stats()).forEach((entry) => {
    if (entry.type === "inbound-rtp") {
      found.packets += entry.packetsReceived;
      found.lost += entry.packetsLost;
      if (entry.kind === "video") {
        found.framesDecoded += entry.framesDecoded;
        found.keyFrames += entry.keyFramesDecoded;
        found.freezes += entry.totalFreezesDuration ?? 0;
        found.frameWidth = Math.max(found.frameWidth, entry.frameWidth ?? 0);
        found.nack += entry.nackCount;
        found.rtx += entry.retransmittedPacketsReceived ?? 0;
      } else {
        found.audioEnergy += entry.totalAudioEnergy;
      }
    } else if (entry.type === "outbound-rtp") {
      found.bytesSent += entry.bytesSent;
      if (entry.kind === "video") {
        found.sentBitrate = entry.targetBitrate;
        found.limited = entry.qualityLimitationReason;
      }
    } else if (entry.type === "candidate-pair" && entry.nominated) {
      found.available = entry.availableOutgoingBitrate;
    } else if (entry.type === "peer-connection") {
      found.pc += 1;
    }
  });
  return found;
};

// How the leg reaches the node: [candidate type, protocol to the TURN server], or null.
rig.way = async () => {
  const stats = new Map();
  (await rig.client.stats()).forEach((entry) => stats.set(entry.id, entry));
  const pair = [...stats.values()].find((entry) => entry.type === "candidate-pair" && entry.nominated);
  const mine = stats.get(pair?.localCandidateId);
  return mine ? [mine.candidateType, mine.relayProtocol ?? null] : null;
};

rig.last = (type) => rig.events.filter(([name]) => name === type).at(-1)?.[1] ?? null;
rig.ready = true;
