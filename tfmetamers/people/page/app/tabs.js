"use strict";
// One tab at a time. Tabs ask one another through localStorage: its events reach them all, on file:// and http:// too.
(metamers => {
  const PATIENCE_MS = 400;

  /**
   * Waits until this tab has the experiment: at once if no other has it, else when the participant says so here.
   * `onTaken` is called when another tab takes over.
   */
  metamers.claim = async (prefix, onTaken) => {
    const tab = metamers.uuid();
    const say = word => localStorage.setItem(`${prefix}tab`, JSON.stringify({ word, tab, at: performance.now() }));
    let state = "asking";
    let elsewhere = false;
    window.addEventListener("storage", event => {
      if (event.key !== `${prefix}tab` || !event.newValue) return;
      const other = JSON.parse(event.newValue);
      if (other.word === "ask" && (state === "here" || (state === "asking" && tab < other.tab))) say("here");
      if (other.word === "here") elsewhere = true;
      if (other.word === "take" && state === "here") {
        state = "gone";
        onTaken();
      }
    });
    say("ask");
    await new Promise(resolve => setTimeout(resolve, PATIENCE_MS));
    if (elsewhere) {
      state = "waiting";
      const { elsewhere: heading, elsewhereText, here } = metamers.messages;
      await metamers.choose(heading, elsewhereText, { here });
      say("take");
    }
    state = "here";
  };
})(window.metamers ||= {});
