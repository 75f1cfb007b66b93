"use strict";
// What experiment.js may hold: format 1. Unknown and missing keys are errors.
(metamers => {
  const either = (...kinds) => value => kinds.some(kind => kind(value));
  const nothing = value => value === null;
  const text = value => typeof value === "string";
  const flag = value => typeof value === "boolean";
  const number = value => typeof value === "number" && value >= 0;
  const count = value => Number.isInteger(value) && value >= 0;
  const one = (...values) => value => values.includes(value);
  const listOf = kind => value => Array.isArray(value) && value.every(item => kind(item));
  const identifier = value => text(value) && /^[0-9a-f]{16}$/.test(value);

  class FormatError extends Error {}

  /** A kind of object with exactly these keys; what is wrong deep inside is named by its path. */
  const object = (name, keys) => value => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
    for (const key of Object.keys(value))
      if (!(key in keys)) throw new FormatError(`experiment.js: unknown key ${name}${key}`);
    for (const [key, kind] of Object.entries(keys)) {
      if (!(key in value)) throw new FormatError(`experiment.js: ${name}${key} is missing`);
      if (!kind(value[key]))
        throw new FormatError(`experiment.js: ${name}${key} cannot be ${JSON.stringify(value[key])?.slice(0, 80)}`);
    }
    return true;
  };

  const saving = value => {
    if (value?.kind === "server") return object("save.", { kind: text, url: text })(value);
    if (value?.kind === "datapipe") return object("save.", { kind: text, experiment: text })(value);
    return object("save.", { kind: one("offline", "jatos") })(value);
  };

  const EXPERIMENT = object("", {
    format: one(1), id: text, task: one("images", "sounds"), protocol: text, title: text, language: text,
    timing_ms: either(nothing, object("timing_ms.", {
      before: number, fixation: number, stimulus: number, mask: number, response_limit: either(nothing, number) })),
    size_px: either(nothing, number),
    minimum_window: either(nothing, listOf(number)),
    categories: either(nothing, listOf(text)),
    words: either(nothing, listOf(text)),
    practice: listOf(object("practice.", {
      stimulus: identifier, answer: text, slow: flag, mask: either(nothing, count) })),
    demo: object("demo.", {
      trials: listOf(object("demo.trials.", { stimulus: identifier, answer: text, mask: either(nothing, count) })),
      pass: either(nothing, count) }),
    lists: listOf(object("lists.", {
      list: count,
      trials: listOf(object("lists.trials.", {
        trial: count, kind: one("main", "catch"), stimulus: identifier, mask: either(nothing, count) })) })),
    breaks: listOf(number),
    headphones: either(nothing, object("headphones.", { trials: count, pass: count, on_fail: one("end", "continue") })),
    level: either(nothing, object("level.", { rms: number })),
    texts: object("texts.", { consent: text, debrief: text, instructions: text }),
    save: saving,
    finish: object("finish.", { redirect: either(nothing, text), code: either(nothing, text) }),
  });

  /** The number of a list, as an address or a form has it. */
  metamers.listNumber = (text, lists) => {
    const number = /^[0-9]{1,4}$/.test(text) ? Number(text) : NaN;
    if (!(number < lists)) throw new FormatError(metamers.messages.noList(text, lists - 1));
    return number;
  };

  /** The experiment as it came, or an error that names the first key at fault. */
  metamers.checkExperiment = experiment => {
    if (!EXPERIMENT(experiment)) throw new FormatError("experiment.js holds no experiment");
    const needed = experiment.task === "images" ? ["timing_ms", "size_px", "minimum_window", "categories"] : ["words"];
    for (const key of needed)
      if (experiment[key] === null) throw new FormatError(`experiment.js: ${key} is missing for ${experiment.task}`);
    return experiment;
  };
})(window.metamers ||= {});
