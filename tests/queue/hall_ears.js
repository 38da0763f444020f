// What the hall's page did with its loudspeaker, for a test that listens. It changes nothing that the page can notice.
(() => {
  const KEY = "test:said"; // outlives a reload
  const note = (entry) => sessionStorage.setItem(KEY, JSON.stringify([...JSON.parse(sessionStorage.getItem(KEY) ?? "[]"), { ...entry, at: performance.timeOrigin + performance.now() }]));
  for (const name of ["rung", "heard", "announced"]) document.addEventListener(`majlis:${name}`, ({ detail }) => note({ name, ...detail }));

  // A tape: whatever goes to the loudspeaker goes to a recorder too.
  const connect = AudioNode.prototype.connect;
  const chunks = [];
  let recorder = null;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode && !recorder) {
      const tape = this.context.createMediaStreamDestination();
      connect.call(this, tape);
      recorder = new MediaRecorder(tape.stream, { mimeType: "audio/webm;codecs=opus", audioBitsPerSecond: 128000 });
      recorder.ondataavailable = ({ data }) => chunks.push(data);
      recorder.start(500);
    }
    return connect.call(this, to, ...rest);
  };
  window.tapeOfTheTest = async () => {
    await new Promise((done) => {
      recorder.onstop = done;
      recorder.stop();
    });
    const octets = new Uint8Array(await new Blob(chunks).arrayBuffer());
    let text = "";
    for (const octet of octets) text += String.fromCharCode(octet);
    return btoa(text);
  };

  // Where a test counts calls and doesn't listen, clips and pauses are shorter.
  if (window.hurried) {
    const later = window.setTimeout;
    window.setTimeout = (act, ms, ...rest) => later(act, ms >= 1000 ? ms / 4 : ms, ...rest);
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...when) {
      this.playbackRate.value = 8;
      return start.apply(this, when);
    };
  }
})();
