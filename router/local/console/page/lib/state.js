// The state of the application comes with the stream; how many events there are is asked for now and then.
import {get, report} from "./api.js";
import {gateway, state, ticks} from "./live.js";
import {say} from "./speak.js";

export {state};
const EVERY_MS = 3000;

/** How the application is: "ready", "reloading", "broken" and so on. */
export const phase = now => now?.application?.phase ?? "ready";
export const problem = now => now?.application?.error ?? null;

let timer = null;

async function read() {
	timer = null;
	try {
		state.value = await get("state");
	} catch (error) {
		report(error, "Reading the state");
	}
}

function soon() {
	if (!timer && !document.hidden && gateway.value.status === "here") timer = setTimeout(read, EVERY_MS);
}

export function followState() {
	let before = null;
	read();
	ticks.entries.follow(soon);
	ticks.resync.follow(soon);
	state.follow(now => {
		if (before && before !== "ready" && phase(now) === "ready") say("The application is ready.");
		before = phase(now);
	});
}
