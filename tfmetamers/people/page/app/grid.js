"use strict";
(metamers => {
  const COLUMNS = 4;

  /**
   * Answers as a grid of buttons, four in a row. Arrow keys move, Enter and Space answer, a letter goes to the next answer
   * that begins with it. None is marked before the participant moves. `onAnswer(answer, event)` is called once.
   */
  metamers.grid = (answers, labelledBy, onAnswer) => {
    const { make } = metamers;
    const buttons = answers.map(answer => make("button", { type: "button", tabindex: -1 }, answer));
    const group = make("div", { class: "grid", role: "group", "aria-labelledby": labelledBy, tabindex: 0 }, ...buttons);

    const go = index => {
      group.tabIndex = -1;
      for (const button of buttons) button.tabIndex = -1;
      buttons[index].tabIndex = 0;
      buttons[index].focus();
    };
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
    group.addEventListener("keydown", event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const at = buttons.indexOf(document.activeElement);
      if (event.key in moves) {
        const next = at < 0 ? 0 : at + moves[event.key];
        if (next >= 0 && next < buttons.length) go(next);
      } else if (event.key === "Home") go(0);
      else if (event.key === "End") go(buttons.length - 1);
      else if (/^\p{L}$/u.test(event.key)) {
        const letter = event.key.toLowerCase();
        const later = [...answers.keys()].map(step => (at + 1 + step) % answers.length);
        const found = later.find(index => answers[index].toLowerCase().startsWith(letter));
        if (found !== undefined) go(found);
      } else return;
      event.preventDefault();
    });
    let answered = false;
    buttons.forEach((button, index) => button.addEventListener("click", event => {
      if (answered) return;
      answered = true;
      onAnswer(answers[index], event);
    }));
    return group;
  };
})(window.metamers ||= {});
