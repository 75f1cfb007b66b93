"use strict";
// A screen of text, with fields to fill in and buttons to go on.
var MetamerPage = (({ ParameterType }, metamers) => {
  const { make } = metamers;

  /** A label, the field, a hint. `kind` is text or textarea. */
  const field = ({ name, label, value, hint, pattern, kind, length }) => {
    const control = make(kind === "textarea" ? "textarea" : "input", { id: name, name, maxlength: length,
      required: pattern ? true : false, pattern, autocomplete: "off", spellcheck: kind === "textarea" ? null : "false",
      "aria-describedby": hint ? `${name}-hint` : null });
    control.value = value ?? "";
    return make("div", { class: "field" }, make("label", { for: name }, label), control,
      ...(hint ? [make("p", { id: `${name}-hint`, class: "hint" }, hint)] : []));
  };

  class MetamerPage {
    trial(element, trial, onLoad) {
      return new Promise(resolve => {
        const start = performance.now();
        const shown_at = new Date().toISOString();
        let pressed = null;
        const buttons = trial.actions.map(([value, label], index) => make("button", {
          type: index ? "button" : "submit", value, class: index ? "second" : "first", click: event => {
            pressed = metamers.manner(event);
            if (index) finish(value);
          } }, label));
        const form = make("form", {}, ...metamers.paragraphs(trial.text), ...trial.fields.map(field),
          ...[trial.more()].flat(), make("div", { class: "actions" }, ...buttons));
        const finish = value => resolve({
          response: trial.fields.length ? Object.fromEntries(new FormData(form)) : value,
          how: pressed, rt: Math.round(performance.now() - start), shown_at, answered_at: new Date().toISOString() });
        form.addEventListener("submit", event => {
          event.preventDefault();
          finish(trial.actions[0][0]);
        });
        metamers.fill(element, trial.heading, form);
        onLoad();
      });
    }
  }
  MetamerPage.info = {
    name: "metamer-page", version: "1.0.0",
    parameters: {
      heading: { type: ParameterType.STRING },
      text: { type: ParameterType.STRING, default: "" },
      fields: { type: ParameterType.OBJECT, array: true, default: [] },
      more: { type: ParameterType.FUNCTION, default: () => [] },
      actions: { type: ParameterType.OBJECT, array: true, default: [] },
    },
    data: {
      response: { type: ParameterType.STRING }, how: { type: ParameterType.STRING }, rt: { type: ParameterType.INT },
      shown_at: { type: ParameterType.STRING }, answered_at: { type: ParameterType.STRING },
    },
  };
  return MetamerPage;
})(jsPsychModule, window.metamers);
