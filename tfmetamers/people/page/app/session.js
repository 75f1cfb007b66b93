"use strict";
// From the arrival to the end of a session.
(metamers => {
  const { make, messages } = metamers;
  const VERSION = "1.0.0";
  const PATIENCE_MS = 3000;
  const KEYS = ["kind", "trial", "stimulus", "response", "answer", "correct", "how", "rt", "rt_first_key", "keystrokes",
    "shown_at", "answered_at", "onsets_ms", "frame_ms_median", "frame_ms_max", "frames_dropped", "timing_ok", "mask", "plays",
    "audio", "client"];
  const screen = document.getElementById("screen");
  const parameters = new URLSearchParams(location.search);
  const looking = parameters.has("preview");

  let experiment, store, outbox;
  let runner = null;
  let outcome = null; // why the session was stopped from outside: "withdrawn", "deleted", "taken"
  let visible = true;

  /** Waits for a step, and never returns when the session was stopped meanwhile. */
  const step = async promise => {
    const value = await promise.catch(error => {
      if (!outcome) throw error;
    });
    if (outcome) await new Promise(() => {});
    return value;
  };

  const record = row => {
    if (!row.kind) return;
    const kept = Object.fromEntries(KEYS.filter(key => key in row).map(key => [key, row[key]]));
    store.add({ ...kept, session_ms: Date.now() - store.session.began, window: [innerWidth, innerHeight],
      device_pixel_ratio: devicePixelRatio, visible, reload: store.session.reload, app: VERSION });
    outbox.kick();
  };

  /** Runs trials; `onRow` gets each row before the next trial begins. */
  const run = async (trials, onRow = record) => {
    if (!trials.length) return;
    screen.replaceChildren();
    runner = initJsPsych({
      display_element: screen, override_safe_mode: true,
      on_data_update: row => {
        if (!outcome) onRow(row); // a trial that is broken off has no row
      },
      on_trial_start: () => visible = document.visibilityState === "visible",
    });
    await runner.run(trials);
    runner = null;
  };

  const stop = async reason => {
    if (outcome) return;
    outcome = reason;
    metamers.silence();
    document.body.classList.remove("showing");
    document.getElementById("stop").hidden = true;
    runner?.abortExperiment();
    await metamers.nextFrame();
    if (reason === "taken") {
      store.closed = true;
      metamers.show(messages.taken, ...metamers.paragraphs(messages.takenText));
    } else if (reason === "deleted") await metamers.deleteSession(store, outbox);
    else await finish(reason);
  };

  const finish = async reason => {
    record({ kind: "end", response: reason });
    store.update({ ended: reason });
    document.getElementById("stop").hidden = true;
    await metamers.end(experiment, store, outbox);
  };

  /** What the browser is, without its user agent string. */
  const inspect = async () => {
    let client = null;
    await run([{ type: jsPsychBrowserCheck, features: ["browser", "browser_version", "os", "mobile"],
      allow_window_resize: false }], row => {
      client = { browser: row.browser, version: parseInt(row.browser_version, 10) || null, os: row.os, mobile: row.mobile };
    });
    return client;
  };

  /** Consent and code; nothing is stored before. False if the participant declines. */
  const arrive = async () => {
    let agreed = null;
    await run([{ type: MetamerPage, heading: experiment.title || messages.consent, text: experiment.texts.consent,
      actions: [["agreed", messages.agree], ["declined", messages.disagree]] }], row => agreed = row);
    if (agreed.response !== "agreed") {
      metamers.show(messages.declined, ...metamers.paragraphs(messages.declinedText));
      return false;
    }
    const lists = experiment.lists.length;
    const chosen = String(metamers.listNumber(parameters.get("list") ?? String(store.count % lists), lists));
    const asksList = !looking && experiment.save.kind === "offline" && !parameters.has("list");
    let form = null;
    await run([{ type: MetamerPage, heading: messages.code, text: messages.codeText, fields: [
      { name: "code", label: messages.codeLabel, hint: messages.codeHint, pattern: "[A-Za-z0-9_\\-]{1,40}",
        value: parameters.get("participant") ?? metamers.drawCode() },
      ...(asksList ? [{ name: "list", label: messages.listLabel, hint: messages.listHint(lists - 1), pattern: "[0-9]{1,4}",
        value: chosen }] : []),
    ], actions: [["continue", messages.continue]] }], row => form = row.response);
    const url = {};
    for (const key of ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"]) if (parameters.has(key)) url[key] = parameters.get(key);
    store.begin(form.code, url);
    if (looking || experiment.save.kind === "offline") store.update({ list: metamers.listNumber(form.list ?? chosen, lists) });
    record({ ...agreed, kind: "consent" });
    return true;
  };

  /**
   * Goes on with a session that was begun in this browser, unless somebody else is to start: then the page begins anew,
   * and what is not saved elsewhere is given out as a file.
   */
  const resume = async () => {
    const total = store.session.list === null ? 0 : experiment.lists[store.session.list].trials.length;
    const answered = store.rows.filter(row => ["main", "catch"].includes(row.kind)).length;
    const choice = await metamers.choose(messages.again, messages.againText(store.session.participant, answered, total),
      { resume: messages.resume, anew: messages.anew });
    if (choice === "resume") return store.update({ reload: store.session.reload + 1 });
    if (store.session.list !== null)
      await Promise.race([outbox.kick(), new Promise(resolve => setTimeout(resolve, PATIENCE_MS))]);
    if (store.unsaved || experiment.save.kind === "offline")
      metamers.download(`${store.session.session}.csv`, metamers.csv(store.complete()));
    store.clear();
    location.reload();
    return new Promise(() => {});
  };

  /** Waits until the window is large enough for images and answers. */
  const fitWindow = async () => {
    if (experiment.minimum_window === null) return;
    const [width, height] = experiment.minimum_window;
    const small = () => innerWidth < width || innerHeight < height;
    if (!small()) return;
    const now = make("p", { role: "status" }, messages.sizeNow(innerWidth, innerHeight));
    const full = make("button", { type: "button", class: "first",
      click: () => document.documentElement.requestFullscreen().catch(() => {}) }, messages.fullScreen);
    metamers.show(messages.size, ...metamers.paragraphs(messages.sizeText(width, height)), now, full);
    await new Promise(resolve => {
      const look = () => {
        now.textContent = messages.sizeNow(innerWidth, innerHeight);
        if (small()) return;
        window.removeEventListener("resize", look);
        resolve();
      };
      window.addEventListener("resize", look);
    });
  };

  const loadAll = async () => {
    const answered = new Set(store.rows.filter(row => ["main", "catch"].includes(row.kind)).map(row => row.trial));
    const main = experiment.lists[store.session.list].trials.filter(({ trial }) => !answered.has(trial));
    const progress = make("progress", { max: 1, value: 0, "aria-label": messages.loading });
    const status = make("p", {});
    metamers.show(messages.loading, progress, status);
    await metamers.load(experiment, [...experiment.practice, ...experiment.demo.trials, ...main], (done, all) => {
      progress.value = done / all;
      status.textContent = messages.loaded(done, all);
    });
  };

  const connect = async () => {
    outbox.onChange = () => {
      if (store.session?.list === null && outbox.failing && !outcome)
        metamers.show(messages.connecting, make("p", { role: "status" }, messages.connectingText));
    };
    await outbox.open().catch(refusal => {
      throw new Error(`${messages.refused}: ${refusal.message}`);
    });
    outbox.onChange = () => {
      const text = outbox.failing || outbox.refusal ? messages.unsaved(store.unsaved) : "";
      const saving = document.getElementById("saving");
      if (saving.textContent !== text) saving.textContent = text;
    };
    outbox.kick();
  };

  /** In a preview: from this trial on, without what comes before. */
  const jump = () => {
    const first = Number(parameters.get("trial"));
    store.begin("preview", {});
    store.update({ list: metamers.listNumber(parameters.get("list") ?? "0", experiment.lists.length),
      finished: ["level", "headphones", "instructions", "practice", "demo"] });
    for (const { trial, kind } of experiment.lists[store.session.list].trials) if (trial < first) record({ kind, trial });
  };

  const take = async () => {
    const client = await step(inspect());
    if (client.mobile && experiment.task === "images") {
      metamers.show(messages.phone, ...metamers.paragraphs(messages.phoneText));
      return;
    }
    if (looking && parameters.has("trial")) jump();
    else if (store.session) await resume();
    else if (!await step(arrive())) return;
    metamers.offerWithdrawal(stop);
    await step(connect());
    record({ kind: "check", client });
    await step(fitWindow());
    await step(loadAll());
    for (const { name, trials, failed } of metamers.sections(experiment, store)) {
      if (store.session.finished.includes(name)) continue;
      await step(run(trials));
      const reason = failed?.();
      if (reason) return finish(reason);
      store.update({ finished: [...store.session.finished, name] });
    }
    await finish("complete");
  };

  const start = async () => {
    experiment = metamers.checkExperiment(window.TFMETAMERS_EXPERIMENT);
    document.documentElement.lang = experiment.language;
    document.title = experiment.title || document.title;
    try {
      store = new metamers.Store(experiment, !looking);
      if (!looking) localStorage.setItem(`${store.prefix}test`, "");
    } catch {
      return metamers.fail(messages.noStorage);
    }
    if (!looking) {
      await metamers.claim(store.prefix, () => stop("taken"));
      store = new metamers.Store(experiment); // the other tab may have written meanwhile
    }
    outbox = new metamers.Outbox(store, metamers.target(experiment, looking), () => {});
    if (store.session?.ended === "deleted") return metamers.deleteSession(store, outbox);
    if (store.session?.ended) return metamers.end(experiment, store, outbox);
    await take();
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") visible = false;
  });
  const guarded = () => start().catch(error => {
    metamers.fail(/^(stimuli|masks)\//.test(error.message) ? messages.notLoaded(error.message) : error.message);
  });
  if (window.TFMETAMERS_EXPERIMENT?.save?.kind === "jatos") jatos.onLoad(guarded);
  else guarded();
})(window.metamers ||= {});
