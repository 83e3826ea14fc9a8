// JSON without loss: a number that JavaScript cannot hold exactly is kept as it is written.
import {codeOf} from "./format.js";

const keeps = typeof JSON.rawJSON === "function";

function revive(_key, value, context) {
	if (typeof value !== "number" || !context?.source || Object.is(Number(context.source), -0)) return value;
	if (Number.isInteger(value) ? Number.isSafeInteger(value) : context.source.length < 17) return value;
	return String(value) === context.source ? value : JSON.rawJSON(context.source);
}

export const isExact = value => keeps && JSON.isRawJSON(value);

/** Reads JSON. The second pass runs only where there is a number that needs it. */
export function parse(text) {
	return keeps && /\d{16}/.test(text) ? JSON.parse(text, revive) : JSON.parse(text);
}

export const pretty = value => JSON.stringify(value, null, 2) ?? "null";

// One token: its kind is the group that matched.
const TOKEN = /[\t\n\r ]*(?:([[{])|([\]}])|(,)|(:)|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))?/y;
const [OPEN, CLOSE, COMMA, COLON, STRING, OTHER] = [1, 2, 3, 4, 5, 6];
const WANTED = {value: "a value", first: "a value", key: "a key in double quotes", "first key": "a key in double quotes", colon: "a colon", after: "a comma or the end"};

/**
 * Finds the first mistake of a text that should be JSON: {message, line, column, at}, or null.
 * Browsers differ in what they say, and say no place for short texts.
 */
export function mistake(text) {
	// What is open, as the signs that close it: deep text must not end the page.
	const open = [];
	let want = "value";
	for (let next = 0; ; next = TOKEN.lastIndex) {
		TOKEN.lastIndex = next;
		const found = TOKEN.exec(text);
		const kind = found.findIndex((part, index) => index && part !== undefined);
		const at = next + found[0].length - (found[kind]?.length ?? 0) * (kind > 0);
		const sign = kind > 0 ? found[kind] : "";
		const starts = want === "value" || want === "first";
		const done = want === "after" && !open.length;
		if (kind === OPEN && starts) {
			open.push(sign === "{" ? "}" : "]");
			want = sign === "{" ? "first key" : "first";
		} else if (kind === CLOSE && sign === open.at(-1) && ["after", "first", "first key"].includes(want)) {
			open.pop();
			want = "after";
		} else if (kind === COMMA && want === "after" && open.length) want = open.at(-1) === "}" ? "key" : "value";
		else if (kind === COLON && want === "colon") want = "value";
		else if (kind === STRING && want.endsWith("key")) want = "colon";
		else if ((kind === STRING || kind === OTHER) && starts) want = "after";
		else if (done && at === text.length) return null;
		else {
			const lines = text.slice(0, at).split("\n");
			const there = text[at] === '"' && kind < 0 ? "a text that does not end, or has a wrong sign" : at < text.length ? show(text[at]) : "the end";
			return {message: `${done ? "the end" : WANTED[want]} is expected, not ${there}`, at, line: lines.length, column: lines.at(-1).length + 1};
		}
	}
}

const show = sign => (/[!-~]/.test(sign) ? sign : codeOf(sign));
