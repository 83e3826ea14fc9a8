// Addresses: /_console/<view>/<rest>?query. Every one can be opened, kept and sent to others.
import {Signal} from "./signal.js";

export const PREFIX = "/_console/";

function read() {
	const path = location.pathname.startsWith(PREFIX) ? location.pathname.slice(PREFIX.length) : "";
	const parts = path.split("/").filter(Boolean).map(decode);
	return {view: parts[0] ?? "events", rest: parts.slice(1), query: new URLSearchParams(location.search)};
}

function decode(part) {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}

/** The text of a query, without what is empty. */
export function search(parameters) {
	const text = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "" && value != null)).toString();
	return text && `?${text}`;
}

export const place = new Signal(read());

export function address(view, rest = [], query = null) {
	const parts = [view, ...rest].filter(part => part !== null && part !== undefined && part !== "");
	return PREFIX + parts.map(encodeURIComponent).join("/") + search(query ?? {});
}

export function go(to, {replace = false} = {}) {
	if (to === location.pathname + location.search) return;
	history[replace ? "replaceState" : "pushState"](null, "", to);
	place.value = read();
}

export const query = () => Object.fromEntries(place.value.query);

addEventListener("popstate", () => (place.value = read()));
addEventListener("click", event => {
	if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
	const link = event.target.closest?.("a[href]");
	if (!link || link.target || link.hash || link.origin !== location.origin) return;
	if (!link.pathname.startsWith(PREFIX) || link.pathname.startsWith(`${PREFIX}api/`)) return;
	event.preventDefault();
	go(link.pathname + link.search);
});
