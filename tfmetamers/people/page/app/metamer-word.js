"use strict";
// A sound, played once; then a word, typed and completed from the list.
var MetamerWord = (({ ParameterType }, metamers) => {
  const { make, messages } = metamers;

  class MetamerWord {
    async trial(element, trial, onLoad) {
      const buffer = await metamers.sound(trial.stimulus);
      onLoad();
      const asked = await this.#ready(element, trial);
      const sound = await metamers.play(buffer, asked);
      const row = await this.#answer(element, trial);
      await sound.ended; // who answers early still hears the whole
      row.plays = 1;
      row.audio = sound.describe();
      if (trial.answer !== null) {
        row.correct = row.response === trial.answer;
        await metamers.feedback(element, row.response, trial.answer);
      }
      return row;
    }

    #ready(element, { position, trials }) {
      return new Promise(resolve => {
        const button = make("button", { type: "button", class: "ready",
          click: event => resolve(event.timeStamp) }, messages.playSound);
        button.addEventListener("click", () => button.disabled = true);
        element.replaceChildren(make("div", { class: "page" }, make("h1", {}, messages.ready(position, trials)), button));
        button.focus();
      });
    }

    #answer(element, { words }) {
      return new Promise(resolve => {
        const shown_at = new Date().toISOString();
        let start = null;
        const box = new metamers.Combobox(words, messages.whichWord, (response, how) => resolve({
          response, how, rt: Math.round(performance.now() - start),
          rt_first_key: box.firstKey === null ? null : Math.round(box.firstKey - start), keystrokes: box.keystrokes,
          shown_at, answered_at: new Date().toISOString() }));
        element.replaceChildren(make("div", { class: "page" }, box.element));
        box.input.focus();
        requestAnimationFrame(now => start = now);
      });
    }
  }
  MetamerWord.info = {
    name: "metamer-word", version: "1.0.0",
    parameters: {
      stimulus: { type: ParameterType.STRING },
      words: { type: ParameterType.STRING, array: true },
      answer: { type: ParameterType.STRING, default: null },
      position: { type: ParameterType.INT },
      trials: { type: ParameterType.INT },
    },
    data: {
      response: { type: ParameterType.STRING }, how: { type: ParameterType.STRING }, rt: { type: ParameterType.INT },
      rt_first_key: { type: ParameterType.INT }, keystrokes: { type: ParameterType.INT }, plays: { type: ParameterType.INT },
      audio: { type: ParameterType.OBJECT }, correct: { type: ParameterType.BOOL },
      shown_at: { type: ParameterType.STRING }, answered_at: { type: ParameterType.STRING },
    },
  };
  return MetamerWord;
})(jsPsychModule, window.metamers);
