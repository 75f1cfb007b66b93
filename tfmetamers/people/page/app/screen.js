"use strict";
(metamers => {
  const { make } = metamers;

  /** Fills an element with a heading and what follows. The heading has the focus, so that it is read out. */
  metamers.fill = (element, heading, ...children) => {
    const title = make("h1", { tabindex: -1 }, heading);
    element.replaceChildren(make("div", { class: "page" }, title, ...children));
    title.focus();
    window.scrollTo(0, 0);
  };

  /** A screen outside the trials: loading, waiting, the end. */
  metamers.show = (heading, ...children) => metamers.fill(document.getElementById("screen"), heading, ...children);

  /** The last screen of a session that cannot go on. */
  metamers.fail = message => {
    metamers.show(metamers.messages.failed, make("p", { role: "alert" }, message));
    document.getElementById("stop").hidden = true;
  };

  /** A screen with buttons; the value of the one that is chosen. */
  metamers.choose = (heading, text, labels) => new Promise(resolve => {
    const buttons = Object.entries(labels).map(([value, label], index) =>
      make("button", { type: "button", class: index ? "second" : "first", click: () => resolve(value) }, label));
    metamers.show(heading, ...metamers.paragraphs(text), make("div", { class: "actions" }, ...buttons));
  });
})(window.metamers ||= {});
