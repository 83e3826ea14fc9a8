// The live stream, with a connection of its own: it is made anew after each loss, later each time, and views are told
// to read again what they may have missed.
import {Signal} from "./signal.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const GATHER_MS = 40;
const SLOW_TICK_MS = 1000;

/** status: "connecting", "here" or "gone"; next: when it is tried again, in milliseconds of Date.now(). */
export const gateway = new Signal({status: "connecting", next: null});
/** Counters that grow when something may have changed: at most once a second. */
export const ticks = {entries: new Signal(0), state: new Signal(0), resync: new Signal(0)};

/** How everything is, as the stream says it; the counts are of the last answer of the API. */
export const state = new Signal(null);

let settle;
/** Ends when the stream is there, or is not: an event before a read is in it, one after it in the stream. */
export const settled = new Promise(resolve => (settle = resolve));

const listeners = new Set();
let source = null;
let wait = FIRST_WAIT_MS;
let timer = null;
let lost = false;
let waiting = [];

/** Hears of entries that are new or have changed, in groups. */
export function listen(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

function later(signal) {
	if (signal.timer) return;
	signal.timer = setTimeout(() => {
		signal.timer = null;
		signal.value += 1;
	}, SLOW_TICK_MS);
}

function hear(event) {
	const {entries} = JSON.parse(event.data);
	// Not with the next frame: there are none while the tab is hidden, and what waits would grow.
	if (!waiting.length) setTimeout(flush, GATHER_MS);
	waiting.push(...entries);
}

function flush() {
	const entries = waiting;
	waiting = [];
	for (const listener of [...listeners]) listener(entries);
	later(ticks.entries);
}

function changed(event) {
	state.value = {...JSON.parse(event.data), counts: state.value?.counts};
	ticks.state.value += 1;
}

function opened() {
	wait = FIRST_WAIT_MS;
	settle();
	gateway.value = {status: "here", next: null};
	if (lost) {
		lost = false;
		ticks.resync.value += 1;
	}
}

function failed() {
	source?.close();
	lost = true;
	settle();
	gateway.value = {status: "gone", next: Date.now() + wait};
	clearTimeout(timer);
	timer = setTimeout(connect, wait);
	wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

export function connect() {
	clearTimeout(timer);
	source?.close();
	source = new EventSource("/_console/api/live");
	source.addEventListener("open", opened);
	source.addEventListener("error", failed);
	source.addEventListener("entries", hear);
	source.addEventListener("state", changed);
	source.addEventListener("reload", () => (ticks.resync.value += 1));
}

// Who looks at the page again need not wait for the next try.
document.addEventListener("visibilitychange", () => {
	if (!document.hidden && gateway.value.status === "gone") connect();
});
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", event => event.persisted && connect());
