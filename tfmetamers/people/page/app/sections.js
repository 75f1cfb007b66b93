"use strict";
// The parts of a session, in order, each with its trials for jsPsych. A part that is finished is not repeated.
(metamers => {
  const SLOW = { fixation: 500, stimulus: 400, mask: 400 }; // the first practice trials of the 2023 vision page

  /** Trials of a list that are not answered yet, with breaks before the first trial after each of these fractions. */
  const remaining = (trials, fractions, answered) => {
    const breaks = new Map(fractions.map(fraction => [Math.ceil(fraction * trials.length), fraction]));
    const left = trials.map((trial, index) => ({ ...trial, index })).filter(({ trial }) => !answered.has(trial));
    return left.flatMap((trial, order) => order > 0 && breaks.has(trial.index)
      ? [{ kind: "break", done: trial.index }, trial] : [trial]);
  };

  /** What is to be done: [{name, trials, failed}]; `failed` tells, after the part, why the session ends there, or null. */
  metamers.sections = (experiment, store) => {
    const { messages } = metamers;
    const images = experiment.task === "images";
    const list = experiment.lists[store.session.list];

    const stimulus = ({ stimulus, mask, answer = null, slow = false }, kind, number, position, trials) => ({
      type: images ? MetamerImage : MetamerWord, stimulus, answer, position, trials,
      ...(images ? { mask, size: experiment.size_px, categories: experiment.categories,
        timing: slow ? { ...experiment.timing_ms, ...SLOW } : experiment.timing_ms } : { words: experiment.words }),
      data: { kind, trial: number, stimulus, mask },
    });
    const page = (heading, text, label = messages.continue) =>
      ({ type: MetamerPage, heading, text, actions: [["continue", label]] });
    const begin = (heading, text) => page(heading, text, messages.start);
    const right = kind => store.rows.filter(row =>
      row.kind === kind && row.reload === store.session.reload && row.correct).length;

    const level = experiment.level === null ? [] : [
      { type: MetamerLevel, rms: experiment.level.rms, data: { kind: "level" } }];

    const check = experiment.headphones;
    const headphones = check === null ? [] : metamers.toneOrders(store.session.session, check.trials)
      .map((order, index) => ({ type: MetamerHeadphones, stimulus: order, rms: experiment.level.rms, position: index + 1,
        trials: check.trials, data: { kind: "headphone", trial: index, stimulus: order } }));

    const own = images ? messages.imageInstructions : messages.soundInstructions;
    const categories = () => metamers.make("ul", { class: "categories" },
      ...experiment.categories.map(category => metamers.make("li", {}, category)));
    const instructions = [{ ...page(messages.instructions, experiment.texts.instructions || own),
      more: () => images ? categories() : metamers.wordList(experiment.words) }];

    const practice = !experiment.practice.length ? [] : [
      begin(messages.practice, messages.practiceText(experiment.practice.length)),
      ...experiment.practice.map((trial, index) =>
        stimulus(trial, "practice", index, index + 1, experiment.practice.length))];

    // The right answers of the demo are known to the page, for its pass mark; they are not told.
    const { trials: shown, pass } = experiment.demo;
    const demo = !shown.length ? [] : [
      begin(messages.demo, messages.demoText(shown.length)),
      ...shown.map((trial, index) => ({ ...stimulus({ ...trial, answer: null }, "demo", index, index + 1, shown.length),
        on_finish: row => row.correct = row.response === trial.answer }))];

    const answered = new Set(store.rows.filter(row => ["main", "catch"].includes(row.kind)).map(row => row.trial));
    const left = remaining(list.trials, experiment.breaks, answered);
    const main = !left.length ? [] : [
      begin(messages.main, messages.mainText(list.trials.length - answered.size)),
      ...left.map(trial => trial.kind === "break"
        ? { ...page(messages.break, messages.breakText(trial.done, list.trials.length)), data: { kind: "break" } }
        : stimulus(trial, trial.kind, trial.trial, trial.index + 1, list.trials.length))];

    const comments = [{ ...page(messages.comments, messages.commentsText),
      fields: [{ name: "comments", label: messages.commentsLabel, kind: "textarea", length: 2000 }],
      data: { kind: "comment" } }];

    return [
      { name: "level", trials: level },
      { name: "headphones", trials: headphones, failed: () => check !== null && check.on_fail === "end" &&
        right("headphone") < check.pass ? "headphones" : null },
      { name: "instructions", trials: instructions },
      { name: "practice", trials: practice },
      { name: "demo", trials: demo, failed: () => shown.length && pass !== null && right("demo") < pass ? "demo" : null },
      { name: "main", trials: main },
      { name: "comments", trials: comments },
    ];
  };
})(window.metamers ||= {});
