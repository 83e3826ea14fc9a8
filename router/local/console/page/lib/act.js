// Doing something by the API.
import {call, report} from "./api.js";
import {say} from "./speak.js";

/**
 * Calls the API. Returns the answer, or null where it failed.
 * request: method, path and perhaps body. said: a text, or makes one of the answer. doing: names it where it fails.
 */
export async function act(request, said, doing, then = null) {
	try {
		const answer = (await call(...request)) ?? {};
		say(typeof said === "string" ? said : said(answer));
		then?.(answer);
		return answer;
	} catch (error) {
		report(error, doing);
		return null;
	}
}
