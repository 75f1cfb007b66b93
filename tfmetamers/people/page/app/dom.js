"use strict";
(metamers => {
  /** An element with attributes, and with children that are elements or text. Functions are listeners. */
  metamers.make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  /** Paragraphs of plain text; an empty line ends one. Nothing in it is taken for HTML. */
  metamers.paragraphs = text => text.split(/\n\s*\n/).map(paragraph => paragraph.trim()).filter(Boolean)
    .map(paragraph => metamers.make("p", {}, paragraph));

  /** How a click was made: by mouse, touch or key (Enter or Space on a button). */
  metamers.manner = event =>
    event.pointerType === "touch" || event.pointerType === "pen" ? "touch" : event.detail === 0 ? "key" : "mouse";
})(window.metamers ||= {});
