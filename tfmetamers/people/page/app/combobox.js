"use strict";
(metamers => {
  const MOST = 8;

  /**
   * A box in which words are typed and completed: the combobox with list autocomplete of the ARIA Authoring Practices.
   * `onAnswer(word, how)` is called once, with "enter" (typed), "list" (taken from the list), or how the button was pressed.
   */
  metamers.Combobox = class {
    constructor(words, label, onAnswer) {
      const { make, messages } = metamers;
      Object.assign(this, { words, onAnswer, active: -1, fromList: false, keystrokes: 0, firstKey: null, answered: false });
      this.input = make("input", { id: "word", type: "text", role: "combobox", "aria-autocomplete": "list",
        "aria-expanded": "false", "aria-controls": "word-list", "aria-describedby": "word-status", autocomplete: "off",
        autocapitalize: "none", autocorrect: "off", spellcheck: "false", enterkeyhint: "done" });
      this.list = make("ul", { id: "word-list", role: "listbox", "aria-label": messages.suggestions, hidden: true });
      this.status = make("p", { id: "word-status", role: "status" });
      this.all = make("button", { type: "button", class: "second", tabindex: -1 }, messages.wordList);
      this.submit = make("button", { type: "submit", class: "first" }, messages.answer);
      this.element = make("form", { class: "word", novalidate: true }, make("label", { for: "word" }, label),
        make("div", { class: "box" }, this.input, this.all, this.submit), this.list, this.status);

      this.input.addEventListener("input", () => {
        this.fromList = false;
        this.#open(this.input.value.trim() === "" ? [] : metamers.matchingWords(words, this.input.value), MOST);
      });
      this.input.addEventListener("keydown", event => this.#key(event));
      this.input.addEventListener("blur", () => this.#close());
      this.list.addEventListener("pointerdown", event => event.preventDefault());
      this.list.addEventListener("click", event => {
        const option = event.target.closest("[role=option]");
        if (option) this.#take(option.textContent);
      });
      this.all.addEventListener("pointerdown", event => event.preventDefault());
      this.all.addEventListener("click", () => {
        if (this.list.hidden) this.#open(words, Infinity);
        else this.#close();
        this.input.focus();
      });
      let pressed = "enter";
      this.submit.addEventListener("click", event => {
        // Enter in the box makes a click on the button, too; the box then still has the focus.
        pressed = document.activeElement === this.input ? "enter" : metamers.manner(event);
      });
      this.element.addEventListener("submit", event => {
        event.preventDefault();
        this.#answer(pressed);
      });
    }

    #answer(pressed) {
      if (this.answered) return;
      const word = metamers.exactWord(this.words, this.input.value);
      if (word === null) {
        this.status.textContent = metamers.messages.chooseWord;
        this.input.focus();
        return;
      }
      this.answered = true;
      this.#close();
      this.onAnswer(word, this.fromList ? "list" : pressed);
    }

    #key(event) {
      if (event.isComposing) return;
      this.keystrokes += 1;
      this.firstKey ??= event.timeStamp;
      const options = this.list.children.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const down = event.key === "ArrowDown";
        if (this.list.hidden) {
          const typed = this.input.value.trim() !== "";
          this.#open(metamers.matchingWords(this.words, this.input.value), typed ? MOST : Infinity);
          this.#mark(down ? 0 : this.list.children.length - 1);
        } else if (options) this.#mark((this.active + (down ? 1 : options - (this.active < 0 ? 0 : 1))) % options);
      } else if (event.key === "Enter" && this.active >= 0) {
        event.preventDefault();
        this.#take(this.list.children[this.active].textContent);
      } else if (event.key === "Escape") {
        event.preventDefault();
        this.#close();
      }
    }

    #open(found, most) {
      const shown = found.slice(0, most);
      this.list.replaceChildren(...shown.map((word, index) =>
        metamers.make("li", { id: `word-${index}`, role: "option", "aria-selected": "false" }, word)));
      this.active = -1;
      this.input.removeAttribute("aria-activedescendant");
      this.list.hidden = !shown.length;
      this.input.setAttribute("aria-expanded", String(!this.list.hidden));
      const { messages } = metamers;
      if (this.input.value.trim() === "" && !shown.length) this.status.textContent = "";
      else this.status.textContent = shown.length ? messages.found(shown.length, found.length) : messages.noMatch;
    }

    #mark(index) {
      this.list.children[this.active]?.setAttribute("aria-selected", "false");
      this.active = index;
      const option = this.list.children[index];
      if (!option) return;
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    }

    #take(word) {
      this.input.value = word;
      this.fromList = true;
      this.#close();
      this.input.focus();
    }

    #close() {
      this.list.hidden = true;
      this.active = -1;
      this.input.setAttribute("aria-expanded", "false");
      this.input.removeAttribute("aria-activedescendant");
    }
  };
})(window.metamers ||= {});
