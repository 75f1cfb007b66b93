"use strict";
(metamers => {
  const { make, messages, paragraphs } = metamers;

  /** Deletes the session where it is stored, then here. */
  metamers.deleteSession = async (store, outbox) => {
    metamers.show(messages.deleting, make("p", {}, messages.deletingText));
    store.update({ ended: "deleted" });
    if (store.session.list !== null) await outbox.forget().catch(refusal => {
      if (refusal.status !== 404) throw refusal; // 404: it is deleted already
    });
    store.clear();
    metamers.show(messages.deleted, ...paragraphs(messages.deletedText));
  };

  /** The last screen: waits until all answers are saved, offers them as a file, and gives the code or the link. */
  metamers.end = async (experiment, store, outbox) => {
    const { ended, session } = store.session;
    const alone = experiment.save.kind === "offline";
    const status = make("p", { role: "status" });
    const rest = make("div", { class: "actions" });
    const download = make("button", { type: "button", class: alone ? "first" : "second", hidden: !alone,
      click: () => {
        metamers.download(`${session}.csv`, metamers.csv(store.complete()));
        next.hidden = false;
      } }, messages.download);
    const hint = make("p", { hidden: !alone }, alone ? messages.downloadText : messages.fallbackText);
    const next = make("button", { type: "button", class: "second", hidden: true, "aria-describedby": "next-hint",
      click: () => {
        store.clear();
        location.reload();
      } }, messages.next);
    metamers.show(messages.ended[ended], ...paragraphs(messages.endedText[ended]), ...paragraphs(experiment.texts.debrief),
      status, rest, hint, make("div", { class: "actions" }, download, next),
      make("p", { id: "next-hint", class: "visually-hidden" }, messages.nextText));

    const tell = () => {
      const waiting = `${messages.unsaved(store.unsaved)} ${messages.keepOpen}`;
      const text = alone ? "" : store.session.result ? messages.saved : store.unsaved ? waiting : "";
      if (status.textContent !== text) status.textContent = text;
      if (!alone && (outbox.failing || outbox.refusal) && !store.session.result) download.hidden = hint.hidden = false;
    };
    outbox.onChange = tell;
    tell();
    const result = store.session.result ?? await outbox.finish();
    tell();
    if (!result) return;
    if (!alone) download.hidden = hint.hidden = true;
    if (result.code) rest.append(make("p", {}, messages.completionCode, " ", make("strong", {}, result.code)));
    if (/^https?:/.test(result.redirect ?? ""))
      rest.append(make("a", { class: "first", href: result.redirect }, messages.continue));
    if (!alone && !result.code && !result.redirect) next.hidden = false;
  };
})(window.metamers ||= {});
