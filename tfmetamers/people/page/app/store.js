"use strict";
// The session and its rows in localStorage: one entry a row, so that a row is there completely or not at all.
(metamers => {
  /** A random UUID, version 4. crypto.randomUUID is missing on http:// pages of a laboratory's computer. */
  metamers.uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  /** A code of 8 letters and digits that are hard to mistake for one another. */
  metamers.drawCode = () => {
    const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";
    return Array.from(crypto.getRandomValues(new Uint32Array(8)), value => letters[value % letters.length]).join("");
  };

  /** One session of one experiment. `keep` false (preview): in memory alone. */
  metamers.Store = class {
    constructor(experiment, keep = true) {
      this.prefix = `tfmetamers:${experiment.id}:`;
      this.experiment = experiment.id;
      this.storage = keep ? window.localStorage : null;
      this.closed = false;
      this.session = this.#read("session");
      this.rows = [];
      if (this.session) for (let row; (row = this.#read(`row:${this.rows.length}`)); ) this.rows.push(row);
    }

    #read(key) {
      const text = this.storage?.getItem(this.prefix + key);
      return text ? JSON.parse(text) : null;
    }

    #write(key, value) {
      this.storage?.setItem(this.prefix + key, JSON.stringify(value));
    }

    begin(participant, url) {
      this.session = { session: metamers.uuid(), participant, url, token: null, list: null, stored: -1, finished: [],
        reload: 0, began: Date.now(), ended: null, result: null };
      this.update({});
    }

    /** Changes the session, unless another tab has taken it over. */
    update(changes) {
      if (this.closed) return;
      Object.assign(this.session, changes);
      this.#write("session", this.session);
    }

    /** Stores one row at once. */
    add(row) {
      if (this.closed) return;
      const complete = { seq: this.rows.length, ...row };
      this.#write(`row:${complete.seq}`, complete);
      this.rows.push(complete);
    }

    /** Rows from a number on, as they are sent and written: with who and which. */
    complete(first = 0) {
      const { session, list, participant } = this.session;
      return this.rows.slice(first).map(row => ({ session, experiment: this.experiment, list, participant, ...row }));
    }

    get unsaved() {
      return this.session ? this.rows.length - 1 - this.session.stored : 0;
    }

    /** How many sessions were begun in this browser: the next list where nobody hands them out. */
    get count() {
      return this.#read("count") ?? 0;
    }

    /** Forgets the session and its rows, for good. */
    clear() {
      this.closed = true;
      this.#write("count", this.count + 1);
      for (const row of this.rows) this.storage?.removeItem(`${this.prefix}row:${row.seq}`);
      this.storage?.removeItem(this.prefix + "session");
      this.session = null;
      this.rows = [];
    }
  };
})(window.metamers ||= {});
