"use strict";
(metamers => {
  /** Nested objects become columns with a dot; lists stay, as JSON. */
  const flatten = (row, prefix = "") => Object.entries(row).reduce((flat, [key, value]) => {
    if (value !== null && typeof value === "object" && !Array.isArray(value))
      return { ...flat, ...flatten(value, `${prefix}${key}.`) };
    return { ...flat, [prefix + key]: value };
  }, {});

  const cell = value => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  /** Rows as CSV (RFC 4180): a header of all keys, in the order in which they come; nothing for null. */
  metamers.csv = rows => {
    const flat = rows.map(row => flatten(row));
    const columns = [...new Set(flat.flatMap(row => Object.keys(row)))];
    return [columns, ...flat.map(row => columns.map(column => row[column]))]
      .map(cells => cells.map(cell).join(",") + "\r\n").join("");
  };

  /** Gives a file to the participant to keep. */
  metamers.download = (name, text) => {
    const link = metamers.make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
})(window.metamers ||= {});
