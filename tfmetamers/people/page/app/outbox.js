"use strict";
(metamers => {
  const FIRST_WAIT_MS = 500;
  const LONGEST_WAIT_MS = 30000;
  const LARGEST_BODY = 60000; // the server takes 64 KiB, and so does a browser that is being closed

  /** Carries the rows of a store to a target: in batches, again and again until they are there. */
  metamers.Outbox = class {
    /** `onChange` is called whenever more was saved, or something failed. */
    constructor(store, target, onChange) {
      Object.assign(this, { store, target, onChange, failing: false, refusal: null, working: null, opening: null, wake: () => {} });
      window.addEventListener("online", () => this.wake());
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "hidden") this.#hurry();
      });
      window.addEventListener("beforeunload", event => {
        if (store.unsaved && !store.closed && target.batch !== Infinity) event.preventDefault();
      });
    }

    /** Begins to send what is there; called after each row. */
    async kick() {
      if (this.store.session.list === null) return;
      await (this.working ??= this.#work().finally(() => {
        this.working = null;
      }));
    }

    /** Gets the session's list and token, as soon as the target answers. */
    open() {
      this.opening ??= this.#open();
      return this.opening;
    }

    async #open() {
      while (!this.store.closed) {
        try {
          this.store.update(await this.#persist(() => this.target.open(this.store.session)));
          return;
        } catch (refusal) {
          // The answer to an earlier try was lost, and with it the token.
          if (refusal.status !== 409 || this.store.session.token) throw refusal;
          this.store.update({ session: metamers.uuid() });
        }
      }
    }

    /** Sends the rest, and returns what the participant gets; null if the target refuses. */
    async finish() {
      try {
        await this.open();
        await this.kick();
        if (this.refusal || this.store.closed) return null;
        const result = await this.#persist(() => this.target.finish(this.store.session, this.store.complete()));
        this.store.update({ result, stored: this.store.rows.length - 1 });
        return result;
      } catch (refusal) {
        this.refusal = refusal;
        return null;
      } finally {
        this.onChange();
      }
    }

    forget() {
      return this.#persist(() => this.target.forget(this.store.session));
    }

    #next() {
      const rows = this.store.complete(this.store.session.stored + 1).slice(0, this.target.batch);
      let size = 0;
      const fitting = rows.findIndex(row => (size += JSON.stringify(row).length) > LARGEST_BODY);
      return fitting > 0 && this.target.batch !== Infinity ? rows.slice(0, fitting) : rows;
    }

    async #work() {
      while (this.store.unsaved && !this.store.closed && !this.refusal) {
        const before = this.store.session.stored;
        try {
          const stored = await this.#persist(() => this.target.send(this.store.session, this.#next(), false));
          if (!this.store.session) return;
          this.store.update({ stored });
        } catch (refusal) {
          this.refusal = refusal;
        }
        this.onChange();
        if (!this.store.session || this.store.session.stored === before) return;
      }
    }

    /** Tries until it works, waiting longer each time, or until the target refuses. */
    async #persist(action) {
      for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
        try {
          const result = await action();
          this.failing = false;
          return result;
        } catch (error) {
          if (error instanceof metamers.Refusal || this.store.closed) throw error;
          this.failing = true;
          this.onChange();
        }
        await new Promise(resolve => {
          this.wake = resolve;
          setTimeout(resolve, wait * (0.75 + Math.random() / 2));
        });
      }
    }

    /** The page may be closing: a last request that outlives it. Rows that arrive twice do no harm. */
    #hurry() {
      if (this.store.session?.list === null || !this.store.unsaved || this.store.closed || this.target.batch === Infinity) return;
      this.target.send(this.store.session, this.#next(), true).catch(() => {});
    }
  };
})(window.metamers ||= {});
