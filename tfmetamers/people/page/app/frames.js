"use strict";
(metamers => {
  const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const rounded = value => Math.round(value * 100) / 100;

  /**
   * Shows stages one after another, each from one animation frame to another: [{show, duration}], durations in ms. A stage
   * ends with the frame that is nearest to its planned end. The first stage is a blank, during which the length of a frame
   * is measured; onsets count from the second. Returns what is kept of the timing.
   */
  metamers.showStages = stages => new Promise(resolve => {
    const onsets = [];
    const frames = [];
    let last = null;
    const step = now => {
      if (last !== null) frames.push(now - last);
      last = now;
      const half = frames.length ? median(frames) / 2 : 0;
      if (!onsets.length || now >= onsets.at(-1) + stages[onsets.length - 1].duration - half) {
        onsets.push(now);
        stages[onsets.length - 1]?.show();
      }
      if (onsets.length <= stages.length) {
        requestAnimationFrame(step);
        return;
      }
      const frame = median(frames);
      const shown = onsets.slice(1);
      resolve({
        onsets_ms: shown.map(onset => rounded(onset - shown[0])),
        frame_ms_median: rounded(frame),
        frame_ms_max: rounded(Math.max(...frames)),
        frames_dropped: frames.reduce((sum, length) => sum + Math.max(0, Math.round(length / frame) - 1), 0),
        timing_ok: stages.slice(1).every(({ duration }, index) =>
          Math.abs(shown[index + 1] - shown[index] - duration) <= frame),
      });
    };
    requestAnimationFrame(step);
  });

  /** The time of the frame in which what was just put into the page is shown. */
  metamers.nextFrame = () => new Promise(resolve => requestAnimationFrame(resolve));
})(window.metamers ||= {});
