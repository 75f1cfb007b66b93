"use strict";
(metamers => {
  let context = null;
  let playing = null;

  /** The page's one AudioContext. Made after the first click: before, a browser keeps it suspended. */
  metamers.audioContext = () => (context ??= new AudioContext());

  /** Stops what is playing. */
  metamers.silence = () => {
    playing?.stop();
    playing = null;
  };

  /**
   * Plays a buffer from within a click. Returns when it has begun: {started, ended, describe}, with `started` in ms of
   * performance.now(), a promise of the end, and what is kept of the playback.
   */
  metamers.play = async (buffer, asked, loop = false) => {
    metamers.silence();
    const context = metamers.audioContext();
    await context.resume();
    const source = new AudioBufferSourceNode(context, { buffer, loop });
    source.connect(context.destination);
    let finished = null;
    const ended = new Promise(resolve => {
      source.onended = () => {
        finished = performance.now();
        resolve();
      };
    });
    source.start();
    const started = performance.now();
    playing = source;
    const describe = () => ({
      mode: "webaudio",
      start_delay_ms: Math.round(started - asked),
      duration_ms: finished === null ? null : Math.round(finished - started),
      sample_rate: context.sampleRate,
      base_latency: context.baseLatency ?? null,
      output_latency: context.outputLatency ?? null,
      state: finished === null ? "playing" : "ended",
    });
    return { started, ended, describe };
  };
})(window.metamers ||= {});
