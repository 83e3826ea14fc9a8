// A trace as rows of a waterfall: a tree by parent, many children of one kind put together.
import {delay, number, title} from "../lib/index.js";

export const MOST_ALIKE = 50;

const startOf = entry => entry.started ?? 0;
/** When an entry begins on the axis: where it waited, from when it was sent. */
const beginOf = entry => (delay(entry) ? entry.sent : startOf(entry));
const endOf = (entry, now) => startOf(entry) + (entry.ms ?? (entry.outcome === "running" ? Math.max(0, (now - startOf(entry)) * 1000) : 0)) / 1000;

/** Returns {rows, from, to, waited, tries, failed} of entries; times in epoch seconds. */
export function waterfall(entries, {open = new Set(), closed = new Set(), now = Date.now() / 1000} = {}) {
	const known = new Set(entries.map(entry => entry.id));
	// The gateway gives no depth to those that name each other as parent in a circle.
	const children = Map.groupBy(entries, entry => (entry.depth && known.has(entry.parent) ? entry.parent : null));
	for (const list of children.values()) list.sort((one, other) => startOf(one) - startOf(other) || number(one.id) - number(other.id));
	const rows = [];
	// A stack of our own: a long chain must not end the page.
	const stack = level(children.get(null) ?? [], 0, "top", open).reverse();
	while (stack.length) {
		const row = stack.pop();
		rows.push(row);
		if (!row.entry) continue;
		const below = children.get(row.entry.id) ?? [];
		row.children = below.length;
		row.closed = closed.has(row.entry.id);
		if (!row.closed) stack.push(...level(below, row.depth + 1, row.entry.id, open).reverse());
	}
	return {rows, ...extent(entries, now)};
}

function level(entries, depth, parent, open) {
	const kindOf = entry => `${entry.source} ${title(entry)}`;
	const alike = Map.groupBy(entries, kindOf);
	const rows = [];
	const counted = new Map();
	for (const entry of entries) {
		const kind = kindOf(entry);
		const all = alike.get(kind);
		const key = `${parent} ${kind}`;
		const place = (counted.get(kind) ?? 0) + 1;
		counted.set(kind, place);
		if (all.length <= MOST_ALIKE || open.has(key) || place < MOST_ALIKE / 10 + 1) rows.push(...passed(entry, depth), {entry, depth: depth + (entry.via?.length ?? 0)});
		else if (place === all.length) rows.push({many: all.slice(MOST_ALIKE / 10), key, depth, id: `many-${key}`});
	}
	return rows;
}

/** Returns the rows of what an entry came through: a topic tells no function of a message that it hands to a queue. */
const passed = (entry, depth) => (entry.via ?? []).map((via, index) => ({via, before: entry, depth: depth + index, id: `via-${entry.id}-${index}`}));

/** Returns from when to when entries were, and what they come to. */
export function extent(entries, now = 0) {
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
	if (!entries.length) return {from: 0, to: 1, waited, ran, tries, failed};
	return {from, to: Math.max(to, from + 0.001), waited, ran, tries, failed};
}

/** Returns where a bar is within [from, to], in parts of one: {begin, start, end}. */
export function bar(entry, from, to, now = Date.now() / 1000) {
	const width = to - from;
	const place = at => (at - from) / width;
	return {begin: place(beginOf(entry)), start: place(startOf(entry)), end: place(endOf(entry, now))};
}

export function barOfMany(entries, from, to) {
	const all = extent(entries);
	return {begin: (all.from - from) / (to - from), end: (all.to - from) / (to - from)};
}

/** Returns round times for the axis, in milliseconds from `from`. */
export function marks(ms, wanted = 6) {
	const rough = ms / wanted;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough);
	return {step, marks: Array.from({length: Math.floor(ms / step) + 1}, (_, index) => index * step)};
}
