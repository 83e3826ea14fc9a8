// Short notes about what was done. They are seen for a moment, and screen readers speak them: so there are few.
import {Signal} from "./signal.js";

export const note = new Signal(null);
let timer = null;

export function say(text) {
	note.value = text;
	clearTimeout(timer);
	timer = setTimeout(() => (note.value = null), 4000);
}

export async function copy(text, name = "Copied") {
	try {
		await navigator.clipboard.writeText(text);
		say(`${name}.`);
	} catch {
		// Browsers keep the clipboard from pages that come by the address of another machine.
		prompt("Copy this:", text);
	}
}
