// Keys: one table for the whole page, so that the dialog of shortcuts tells the truth.
import {useEffect, useRef} from "./dom.js";
import {kept} from "./signal.js";

/** Whether single letters do something: who dictates to the machine turns them off. */
export const letters = kept("letters", true);

const layers = [];
let before = null;
let timer = null;

const typing = target => target.closest?.("input, textarea, select, [contenteditable]") !== null;

function pressed(event) {
	if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
	const {key, target} = event;
	if (typing(target) && key !== "Escape") return;
	if (!letters.value && key.length === 1) return;
	// Within a dialog its own keys alone are heard; and what is pressed on a button or link presses it.
	const dialog = document.querySelector("dialog[open]");
	const name = before ? `${before} ${key}` : key;
	before = null;
	clearTimeout(timer);
	if ((key === "Enter" || key === " ") && target.closest?.("button, a, summary, [role=tab]")) return;
	for (const layer of [...layers].reverse()) {
		if (dialog && !layer.current.dialog) continue;
		const action = layer.current.keys[name];
		if (action && action(event) !== false) {
			event.preventDefault();
			return;
		}
	}
	if (key === "g" && !dialog) {
		before = "g";
		timer = setTimeout(() => (before = null), 1200);
	}
}

addEventListener("keydown", pressed);

/** Hears keys as long as the view is there; the newest view hears first. An action that returns false passes it on. */
export function useKeys(keys, {dialog = false} = {}) {
	const held = useRef(null);
	held.current = {keys, dialog};
	useEffect(() => {
		layers.push(held);
		return () => layers.splice(layers.indexOf(held), 1);
	}, []);
}

export const SHORTCUTS = [
	["Everywhere", [
		["?", "show this list"],
		["/", "search the events"],
		["d", "change between dark, light and the system's theme"],
	]],
	["In a list or a trace", [
		["j, ↓", "next"],
		["k, ↑", "previous"],
		["Home, End", "first, last"],
		["PgUp, PgDn", "a page up, down"],
		["Enter", "go into the details"],
		["Esc", "back to the list; close the details"],
	]],
	["With an event", [
		["r", "send it again"],
		["e", "edit it and send it"],
		["b", "bookmark it"],
		["t", "show its trace"],
		["y", "copy its link"],
		["[ and ]", "previous tab, next tab"],
	]],
	["In a trace", [
		["+ and −", "zoom in, out"],
		["0", "fit the whole trace"],
		["← and →", "move earlier, later"],
	]],
];
