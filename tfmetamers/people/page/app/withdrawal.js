"use strict";
(metamers => {
  /** The button that is on every screen; `onStop` is called with "withdrawn" (answers are kept) or "deleted". */
  metamers.offerWithdrawal = onStop => {
    const { make, messages } = metamers;
    const button = document.getElementById("stop");
    const leave = reason => () => {
      dialog.close();
      button.hidden = true;
      onStop(reason);
    };
    const dialog = make("dialog", { "aria-labelledby": "stop-heading" },
      make("h2", { id: "stop-heading" }, messages.stop), make("p", {}, messages.stopText),
      make("div", { class: "actions" },
        make("button", { type: "button", class: "first", click: () => dialog.close() }, messages.stopNot),
        make("button", { type: "button", class: "second", click: leave("withdrawn") }, messages.stopKeep),
        make("button", { type: "button", class: "second", click: leave("deleted") }, messages.stopDelete)));
    document.body.append(dialog);
    button.textContent = messages.stop;
    button.hidden = false;
    button.onclick = () => dialog.showModal();
  };
})(window.metamers ||= {});
