"use strict";
// Fixation, image and mask on animation frames; then the answers as a grid.
var MetamerImage = (({ ParameterType }, metamers) => {
  const { make, messages } = metamers;

  class MetamerImage {
    async trial(element, trial, onLoad) {
      const [image, mask] = [metamers.image(trial.stimulus), metamers.mask(trial.mask)];
      await Promise.all([image.decode(), mask.decode()]);
      onLoad();
      await this.#ready(element, trial);
      const timing = await this.#sequence(element, trial, image, mask);
      const row = { ...timing, ...await this.#answer(element, trial) };
      if (trial.answer !== null) {
        row.correct = row.response === trial.answer;
        image.hidden = false;
        await metamers.feedback(element, row.response, trial.answer, image);
      }
      return row;
    }

    #ready(element, { position, trials }) {
      return new Promise(resolve => {
        const button = make("button", { type: "button", class: "ready", click: resolve }, messages.showImage);
        element.replaceChildren(make("div", { class: "page" }, make("h1", {}, messages.ready(position, trials)), button));
        button.focus();
      });
    }

    async #sequence(element, { timing, size }, image, mask) {
      const cross = make("div", { class: "cross" }, "+");
      const stage = make("div", { class: "stage", "aria-hidden": "true" }, cross, image, mask);
      stage.style.width = stage.style.height = `${size}px`;
      const show = shown => () => {
        for (const item of [cross, image, mask]) item.hidden = item !== shown;
      };
      show(null)();
      element.replaceChildren(stage);
      document.body.classList.add("showing");
      try {
        return await metamers.showStages([
          { show: show(null), duration: timing.before },
          { show: show(cross), duration: timing.fixation },
          { show: show(image), duration: timing.stimulus },
          { show: show(mask), duration: timing.mask },
        ]);
      } finally {
        document.body.classList.remove("showing");
      }
    }

    #answer(element, { categories, timing }) {
      return new Promise(resolve => {
        const shown_at = new Date().toISOString();
        let start = null;
        let timer = null;
        const finish = (response, event) => {
          clearTimeout(timer);
          resolve({ response, how: event ? metamers.manner(event) : null,
            rt: event ? Math.round(event.timeStamp - start) : null, shown_at, answered_at: new Date().toISOString() });
        };
        const grid = metamers.grid(categories, "question", finish);
        element.replaceChildren(make("div", { class: "page" }, make("h1", { id: "question" }, messages.whichCategory), grid));
        grid.focus();
        requestAnimationFrame(now => {
          start = now;
          if (timing.response_limit !== null) timer = setTimeout(() => finish(null, null), timing.response_limit);
        });
      });
    }
  }
  MetamerImage.info = {
    name: "metamer-image", version: "1.0.0",
    parameters: {
      stimulus: { type: ParameterType.STRING },
      mask: { type: ParameterType.INT },
      timing: { type: ParameterType.OBJECT },
      size: { type: ParameterType.INT },
      categories: { type: ParameterType.STRING, array: true },
      answer: { type: ParameterType.STRING, default: null },
      position: { type: ParameterType.INT },
      trials: { type: ParameterType.INT },
    },
    data: {
      response: { type: ParameterType.STRING }, how: { type: ParameterType.STRING }, rt: { type: ParameterType.INT },
      onsets_ms: { type: ParameterType.FLOAT, array: true }, timing_ok: { type: ParameterType.BOOL },
      frame_ms_median: { type: ParameterType.FLOAT }, frame_ms_max: { type: ParameterType.FLOAT },
      frames_dropped: { type: ParameterType.INT }, correct: { type: ParameterType.BOOL },
      shown_at: { type: ParameterType.STRING }, answered_at: { type: ParameterType.STRING },
    },
  };
  return MetamerImage;
})(jsPsychModule, window.metamers);
