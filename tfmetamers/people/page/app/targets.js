"use strict";
// Where rows go. Each target has:
//   open(session)                   the list (and token) of a session
//   send(session, rows, keepalive)  the number of the last row that is stored
//   finish(session, rows)           what the participant gets: {code, redirect}
//   forget(session)                 deletes the session
// A Refusal is final; anything else that is thrown is worth another try.
(metamers => {
  class Refusal extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }
  metamers.Refusal = Refusal;

  const PASSING = [408, 425, 429, 500, 502, 503, 504, 507];

  const request = async (url, method, body, headers = {}, keepalive = false) => {
    const answer = await fetch(url, {
      method, keepalive, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
    const content = await answer.json().catch(() => ({}));
    if (answer.ok) return content;
    const message = content.error || `${answer.status} ${answer.statusText}`;
    throw PASSING.includes(answer.status) ? new Error(message) : new Refusal(answer.status, message);
  };

  const lastOf = rows => rows[rows.length - 1].seq;

  const server = experiment => {
    const call = (method, path, body, token, keepalive) => request(`${experiment.save.url}/sessions${path}`, method, body,
      { "X-Tfmetamers": "1", ...(token ? { Authorization: `Bearer ${token}` } : {}) }, keepalive);
    return {
      batch: 50,
      open: async ({ session, participant, url, token, stored }) => {
        const answer = await call("POST", "", { session, experiment: experiment.id, participant, url }, token);
        return { list: answer.list, token: answer.token ?? token, stored: answer.stored ?? stored };
      },
      send: async ({ session, token }, rows, keepalive) =>
        (await call("POST", `/${session}/rows`, { rows }, token, keepalive)).stored,
      finish: ({ session, token }) => call("POST", `/${session}/finish`, {}, token),
      forget: ({ session, token }) => call("DELETE", `/${session}`, {}, token),
    };
  };

  /** Rows stay in this browser, until they are downloaded. */
  const offline = experiment => ({
    batch: Infinity,
    open: async ({ list }) => ({ list }),
    send: async (session, rows) => lastOf(rows),
    finish: async () => experiment.finish,
    forget: async () => {},
  });

  const JATOS = experiment => ({
    batch: 50,
    open: async () => {
      const named = jatos.urlQueryParameters.list;
      if (named !== undefined) return { list: metamers.listNumber(named, experiment.lists.length) };
      const begun = jatos.batchSession.get("sessions") ?? 0;
      await jatos.batchSession.set("sessions", begun + 1);
      return { list: begun % experiment.lists.length };
    },
    send: async (session, rows) => {
      await jatos.appendResultData(rows.map(row => JSON.stringify(row) + "\n").join(""));
      return lastOf(rows);
    },
    finish: async () => {
      await jatos.endStudyWithoutRedirect();
      return experiment.finish;
    },
    forget: () => jatos.abortStudyWithoutRedirect(),
  });

  /** One file a session, at its end: DataPipe cannot append. */
  const dataPipe = experiment => {
    const url = "https://pipe.jspsych.org/api";
    const experimentID = experiment.save.experiment;
    return {
      batch: Infinity,
      open: async () => {
        const { condition } = await request(`${url}/condition/`, "POST", { experimentID });
        return { list: condition % experiment.lists.length };
      },
      send: async () => -1,
      finish: async ({ session }, rows) => {
        try {
          await request(`${url}/data/`, "POST", { experimentID, filename: `${session}.csv`, data: metamers.csv(rows) });
        } catch (error) {
          if (!/OSF_FILE_EXISTS/.test(error.message)) throw error;
        }
        return experiment.finish;
      },
      forget: async () => {},
    };
  };

  /** Nothing is kept: the page is only looked at. */
  const preview = experiment => ({ ...offline(experiment), finish: async () => ({ code: null, redirect: null }) });

  metamers.target = (experiment, looking) =>
    (looking ? preview : { server, offline, jatos: JATOS, datapipe: dataPipe }[experiment.save.kind])(experiment);
})(window.metamers ||= {});
