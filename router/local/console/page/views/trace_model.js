// The way of an event as rows of a waterfall: a tree by parent, many children of one kind put together.
import { delay, number, title } from "../lib/format.js";

export const MOST_ALIKE = 50;

const startOf = (entry) => entry.started ?? 0;
/** When an entry begins on the axis: where it waited, from when it was sent. */
const beginOf = (entry) => (delay(entry) ? entry.sent : startOf(entry));
const endOf = (entry, now) => startOf(entry) + (entry.ms ?? (entry.outcome === "running" ? Math.max(0, (now - startOf(entry)) * 1000) : 0)) / 1000;

/** Returns {rows, from, to, waited, tries, failed} of entries; times in epoch seconds. */
export function waterfall(entries, { open = new Set(), closed = new Set(), now = Date.now() / 1000 } = {}) {
  const known = new Map(entries.map((entry) => [entry.id, entry]));
  const children = new Map();
  for (const entry of entries) {
    const parent = entry.parent && entry.parent !== entry.id && known.has(entry.parent) ? entry.parent : null;
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(entry);
  }
  for (const list of children.values()) list.sort((one, other) => startOf(one) - startOf(other) || number(one.id) - number(other.id));
  const rows = [];
  const seen = new Set();
  // A stack of our own: a chain of ten thousand hops must not end the page.
  const stack = level(children.get(null) ?? [], 0, "top", open).reverse();
  const walk = () => {
    while (stack.length) {
      const row = stack.pop();
      if (row.entry) {
        if (seen.has(row.entry.id)) continue;
        seen.add(row.entry.id);
        const below = children.get(row.entry.id) ?? [];
        row.children = below.length;
        row.closed = closed.has(row.entry.id);
        if (!row.closed) stack.push(...level(below, row.depth + 1, row.entry.id, open).reverse());
      }
      rows.push(row);
    }
  };
  walk();
  // Those that name each other as parent in a circle; shown all the same.
  if (!closed.size && !rows.some((row) => row.many)) {
    for (const entry of entries) {
      if (seen.has(entry.id)) continue;
      stack.push({ entry, depth: 0 });
      walk();
    }
  }
  return { rows, ...extent(entries, now) };
}

function level(entries, depth, parent, open) {
  const alike = new Map();
  for (const entry of entries) {
    const kind = `${entry.source} ${title(entry)}`;
    if (!alike.has(kind)) alike.set(kind, []);
    alike.get(kind).push(entry);
  }
  const rows = [];
  const counted = new Map();
  for (const entry of entries) {
    const kind = `${entry.source} ${title(entry)}`;
    const all = alike.get(kind);
    const key = `${parent} ${kind}`;
    const place = (counted.get(kind) ?? 0) + 1;
    counted.set(kind, place);
    if (all.length <= MOST_ALIKE || open.has(key) || place < MOST_ALIKE / 10 + 1) rows.push(...passed(entry, depth), { entry, depth: depth + (entry.via?.length ?? 0) });
    else if (place === all.length) rows.push({ many: all.slice(MOST_ALIKE / 10), key, depth, id: `many-${key}` });
  }
  return rows;
}

/** Returns the rows of what an entry came through: a topic tells no function of a message that it hands to a queue. */
function passed(entry, depth) {
  return (entry.via ?? []).map((via, index) => ({ via, before: entry, depth: depth + index, id: `via-${entry.id}-${index}` }));
}

/** Returns where an entry left what it came through, in parts of [from, to]. */
export function leave(entry, from, to) {
  return ((entry.sent ?? startOf(entry)) - from) / (to - from);
}

function extent(entries, now) {
  let from = Infinity;
  let to = -Infinity;
  let waited = 0;
  let ran = 0;
  let tries = 0;
  let failed = 0;
  for (const entry of entries) {
    from = Math.min(from, beginOf(entry));
    to = Math.max(to, endOf(entry, now));
    waited += delay(entry) ?? 0;
    ran += entry.ms ?? 0;
    if (entry.attempt > 1) tries += 1;
    if (["failed", "died", "timed out"].includes(entry.outcome)) failed += 1;
  }
  if (!entries.length) return { from: 0, to: 1, waited, ran, tries, failed };
  return { from, to: Math.max(to, from + 0.001), waited, ran, tries, failed };
}

/** Returns where a bar is within [from, to], in parts of one: {begin, start, end}. */
export function bar(entry, from, to, now = Date.now() / 1000) {
  const width = to - from;
  const place = (at) => (at - from) / width;
  return { begin: place(beginOf(entry)), start: place(startOf(entry)), end: place(endOf(entry, now)) };
}

export function barOfMany(entries, from, to) {
  let begin = Infinity;
  let end = -Infinity;
  for (const entry of entries) {
    begin = Math.min(begin, beginOf(entry));
    end = Math.max(end, endOf(entry, 0));
  }
  return { begin: (begin - from) / (to - from), start: (begin - from) / (to - from), end: (end - from) / (to - from) };
}

/** Returns round times for the axis, in milliseconds from `from`. */
export function marks(ms, wanted = 6) {
  const rough = ms / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  return { step, marks: Array.from({ length: Math.floor(ms / step) + 1 }, (_, index) => index * step) };
}
