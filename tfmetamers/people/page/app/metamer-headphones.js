"use strict";
// Which of three tones is the softest? One is in opposite phase, and sounds softest over loudspeakers (Woods et al. 2017).
var MetamerHeadphones = (({ ParameterType }, metamers) => {
  const { make, messages } = metamers;

  class MetamerHeadphones {
    trial(element, trial, onLoad) {
      return new Promise(resolve => {
        const answer = trial.stimulus.indexOf("S") + 1;
        const question = make("p", { id: "softest", tabindex: -1 }, messages.softest);
        let sound = null;
        let start = null;
        let shown_at = null;
        const choices = messages.tones.map((label, index) => make("button", { type: "button", disabled: true, click: event =>
          resolve({ response: index + 1, answer, correct: index + 1 === answer, how: metamers.manner(event), plays: 1,
            rt: Math.round(event.timeStamp - start), audio: sound.describe(), shown_at,
            answered_at: new Date().toISOString() }) }, label));
        const play = make("button", { type: "button", class: "first", click: async event => {
          play.disabled = true;
          sound = await metamers.play(metamers.tones(trial.stimulus, trial.rms), event.timeStamp);
          await sound.ended;
          for (const choice of choices) choice.disabled = false;
          start = performance.now();
          shown_at = new Date().toISOString();
          question.focus();
        } }, messages.playTones);
        metamers.fill(element, messages.headphones, ...metamers.paragraphs(messages.headphonesText),
          make("p", {}, messages.headphonesTrial(trial.position, trial.trials)), play, question,
          make("div", { class: "actions", role: "group", "aria-labelledby": "softest" }, ...choices));
        onLoad();
      });
    }
  }
  MetamerHeadphones.info = {
    name: "metamer-headphones", version: "1.0.0",
    parameters: {
      stimulus: { type: ParameterType.STRING },
      rms: { type: ParameterType.FLOAT },
      position: { type: ParameterType.INT },
      trials: { type: ParameterType.INT },
    },
    data: {
      response: { type: ParameterType.INT }, answer: { type: ParameterType.INT }, correct: { type: ParameterType.BOOL },
      how: { type: ParameterType.STRING }, rt: { type: ParameterType.INT }, plays: { type: ParameterType.INT },
      audio: { type: ParameterType.OBJECT }, shown_at: { type: ParameterType.STRING },
      answered_at: { type: ParameterType.STRING },
    },
  };
  return MetamerHeadphones;
})(jsPsychModule, window.metamers);
