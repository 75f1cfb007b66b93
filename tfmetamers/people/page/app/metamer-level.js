"use strict";
// Noise at the level of the sounds, to set the volume by.
var MetamerLevel = (({ ParameterType }, metamers) => {
  const { make, messages } = metamers;

  class MetamerLevel {
    trial(element, trial, onLoad) {
      return new Promise(resolve => {
        const start = performance.now();
        const shown_at = new Date().toISOString();
        const noise = metamers.noise(trial.rms);
        let plays = 0;
        let on = false;
        const button = make("button", { type: "button", class: "first", click: async event => {
          on = !on;
          button.textContent = on ? messages.stopNoise : messages.playNoise;
          if (!on) return metamers.silence();
          plays += 1;
          next.disabled = false;
          await metamers.play(noise, event.timeStamp, true);
        } }, messages.playNoise);
        const next = make("button", { type: "button", class: "second", disabled: true, click: event => {
          metamers.silence();
          resolve({ plays, response: null, how: metamers.manner(event), rt: Math.round(performance.now() - start), shown_at,
            answered_at: new Date().toISOString() });
        } }, messages.continue);
        metamers.fill(element, messages.level, ...metamers.paragraphs(messages.levelText),
          make("div", { class: "actions" }, button, next));
        onLoad();
      });
    }
  }
  MetamerLevel.info = {
    name: "metamer-level", version: "1.0.0",
    parameters: { rms: { type: ParameterType.FLOAT } },
    data: {
      plays: { type: ParameterType.INT }, response: { type: ParameterType.STRING }, how: { type: ParameterType.STRING },
      rt: { type: ParameterType.INT }, shown_at: { type: ParameterType.STRING }, answered_at: { type: ParameterType.STRING },
    },
  };
  return MetamerLevel;
})(jsPsychModule, window.metamers);
