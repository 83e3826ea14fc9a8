// Numbers, times and texts as the page shows them.

const two = number => String(number).padStart(2, "0");

/** The time of day with milliseconds, as logs have it. */
export function clock(seconds) {
	if (seconds == null) return "";
	const at = new Date(seconds * 1000);
	return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

export const moment = seconds => (seconds == null ? "" : new Date(seconds * 1000).toISOString());

/** A time that passed, in the unit that fits: "0.8 ms", "12 ms", "1.24 s", "3 min 05 s". */
export function span(ms) {
	if (ms == null || Number.isNaN(ms)) return "";
	if (ms < 0) return `−${span(-ms)}`;
	if (ms < 10) return `${ms.toFixed(1)} ms`;
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
	if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${two(Math.floor((ms % 60_000) / 1000))} s`;
	return `${Math.floor(ms / 3_600_000)} h ${two(Math.floor((ms % 3_600_000) / 60_000))} min`;
}

const grouped = new Intl.NumberFormat("en");
export const count = number => (number == null ? "" : grouped.format(number));
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** How long an entry waited in a queue, in milliseconds; null where it did not. */
export function delay(entry) {
	if (entry.sent == null || entry.started == null) return null;
	return Math.max(0, (entry.started - entry.sent) * 1000);
}

export function ago(seconds, now = Date.now() / 1000) {
	const passed = Math.max(0, now - seconds);
	if (passed < 2) return "just now";
	if (passed < 60) return `${Math.floor(passed)} s ago`;
	if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
	return `${Math.floor(passed / 3600)} h ago`;
}

/** What an entry is, in one text. */
export function title(entry) {
	if (entry.kind === "push" && entry.name) return entry.name;
	return entry.route || [entry.method, entry.path].filter(Boolean).join(" ") || entry.name || entry.source || entry.kind;
}

export const number = id => Number(String(id).replace(/^\D+/, "")) || 0;

// Signs that cannot be seen, or turn the direction of what follows. Tab and line ends are left as they are, and so is
// the joiner of emoji.
export const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const EVERY_HIDDEN = new RegExp(HIDDEN.source, "g");
export const codeOf = sign => `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A text for a title or a label: hidden signs are named. */
export const plain = text => String(text ?? "").replace(EVERY_HIDDEN, sign => `‹${codeOf(sign)}›`);

/** A text in pieces: what can be shown, and [sign] for each that is hidden. */
export function pieces(text) {
	if (!HIDDEN.test(text)) return [text];
	const made = [];
	let from = 0;
	for (const {0: sign, index} of text.matchAll(EVERY_HIDDEN)) {
		if (index > from) made.push(text.slice(from, index));
		made.push([sign]);
		from = index + 1;
	}
	if (from < text.length) made.push(text.slice(from));
	return made;
}
