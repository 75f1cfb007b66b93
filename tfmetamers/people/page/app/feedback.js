"use strict";
(metamers => {
  /** Tells after a practice trial what was right, and waits for the participant. Shows more (the image) if there is more. */
  metamers.feedback = (element, response, answer, ...more) => new Promise(resolve => {
    const { make, messages } = metamers;
    const right = response === answer;
    const button = make("button", { type: "button", class: "first", click: resolve }, messages.continue);
    const verdict = make("p", { class: right ? "right" : "wrong", role: "status" });
    element.replaceChildren(make("div", { class: "page" }, verdict, ...more, button));
    verdict.textContent = (right ? messages.right : messages.wrong)(answer);
    button.focus();
  });
})(window.metamers ||= {});
