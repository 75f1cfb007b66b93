"use strict";
(metamers => {
  const tidy = text => text.trim().toLowerCase().replaceAll("’", "'");
  const bare = text => tidy(text).replaceAll("'", "");

  /** The word that was typed, or null: an exact match first, then one that differs in apostrophes ("dont"). */
  metamers.exactWord = (words, typed) =>
    words.find(word => tidy(word) === tidy(typed)) ?? words.find(word => bare(word) === bare(typed)) ?? null;

  /** Words that begin with what was typed, then words that contain it; the word itself comes first. All for nothing typed. */
  metamers.matchingWords = (words, typed) => {
    const key = bare(typed);
    const exact = metamers.exactWord(words, typed);
    const begins = words.filter(word => word !== exact && bare(word).startsWith(key));
    const contains = words.filter(word => word !== exact && !bare(word).startsWith(key) && bare(word).includes(key));
    return [...(exact === null ? [] : [exact]), ...begins, ...contains];
  };

  /** All words, with a box to search them. */
  metamers.wordList = words => {
    const { make, messages } = metamers;
    const status = make("p", { role: "status" });
    const list = make("ul");
    const input = make("input", { id: "search", type: "search", autocomplete: "off", input: () => update() });
    const update = () => {
      const found = metamers.matchingWords(words, input.value);
      list.replaceChildren(...found.map(word => make("li", {}, word)));
      status.textContent = found.length ? messages.found(found.length, found.length) : messages.noMatch;
    };
    update();
    return make("div", {}, make("label", { for: "search" }, messages.search), input, status,
      make("div", { class: "words", role: "region", "aria-label": messages.wordList, tabindex: 0 }, list));
  };
})(window.metamers ||= {});
