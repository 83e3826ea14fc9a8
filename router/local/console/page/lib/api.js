// The console's API: calls, and a hook for what a view shows of it.
import {useCallback, useEffect, useState} from "./dom.js";
import {gateway, settled, ticks} from "./live.js";
import {parse} from "./exact.js";
import {useSignal} from "./signal.js";

const BASE = "/_console/api/";

export class ApiError extends Error {
	constructor(message, {status = 0, request = "", body = ""} = {}) {
		super(message);
		this.status = status;
		this.detail = `${request}\n${body}`;
	}
}

/** Calls the API; the answer is data. Raises an ApiError that says what the gateway said. */
export async function call(method, path, body, {signal} = {}) {
	const request = `${method} ${BASE}${path}`;
	const options = {method, signal, headers: {accept: "application/json"}};
	if (body !== undefined) {
		options.body = JSON.stringify(body);
		options.headers["content-type"] = "application/json";
	}
	await settled;
	let response;
	let text;
	try {
		response = await fetch(BASE + path, options);
		text = await response.text();
	} catch (error) {
		if (error.name === "AbortError") throw error;
		throw new ApiError("The gateway does not answer.", {request, body: String(error)});
	}
	let data = null;
	try {
		data = text ? parse(text) : null;
	} catch (error) {
		if (response.ok) throw new ApiError("The gateway's answer is not JSON.", {request, body: `${error}\n${text.slice(0, 2000)}`});
	}
	if (!response.ok) {
		const said = data?.error ?? `The gateway answered ${response.status}.`;
		throw new ApiError(String(said), {status: response.status, request, body: text.slice(0, 4000)});
	}
	return data;
}

export const get = (path, options) => call("GET", path, undefined, options);

export const id = encodeURIComponent;

/** Shows a failure in the strip, unless the banner says already that the gateway is gone. */
export function report(error, doing) {
	if (error?.name === "AbortError") return;
	if (error instanceof ApiError && error.status === 0 && gateway.value.status === "gone") return;
	window.junctionTrouble(`${doing}: ${error?.message ?? error}`, error?.detail ?? error?.stack);
}

/**
 * Reads a path of the API, and again with every tick of what it depends on.
 * follow: "entries", "state" or null. What was read before stays while it is read again.
 */
export function useResource(path, {follow = null} = {}) {
	const [got, put] = useState({path: null, data: null, error: null});
	const tick = useSignal(follow ? ticks[follow] : ticks.resync);
	const again = useSignal(ticks.resync);
	const [asked, ask] = useState(0);
	useEffect(() => {
		if (path === null) return undefined;
		const abort = new AbortController();
		get(path, {signal: abort.signal}).then(
			data => {
				put({path, data, error: null});
			},
			error => {
				if (error.name === "AbortError") return;
				put(before => ({path, data: before.path === path ? before.data : null, error}));
				// 404 is an answer: the view says that it is not there.
				if (error.status !== 404) report(error, `GET ${path.split("?")[0]}`);
			},
		);
		return () => abort.abort();
	}, [path, tick, again, asked]);
	const reload = useCallback(() => ask(times => times + 1), []);
	const fits = got.path === path;
	return {
		data: fits ? got.data : null,
		error: fits ? got.error : null,
		loading: path !== null && !(fits && (got.data !== null || got.error)),
		reload,
	};
}
