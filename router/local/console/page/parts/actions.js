// What can be done with an event, from a button or a key.
import {act, address, copy, get, id, pretty, report, say, Signal, title} from "../lib/index.js";

/** The event that is edited at the moment: its detail, or null. */
export const edited = new Signal(null);

export const replay = ({id: name}) => act(["POST", `events/${id(name)}/replay`, {}], `${name} was sent again.`, `Sending ${name} again`);

export const bookmark = ({id: name, bookmarked}) =>
	act([bookmarked ? "DELETE" : "PUT", `events/${id(name)}/bookmark`], bookmarked ? `The bookmark of ${name} is gone.` : `${name} is bookmarked.`, `The bookmark of ${name}`);

export const copyLink = entry => copy(location.origin + address("events", [entry.id]), `The link to ${entry.id} is copied`);

/** A test of the event. The payload is JSON, so that it is what came, and quotes in it cannot end the text. */
export function asTest(entry, application) {
	const [module, name = "resolver"] = String(application || "app:resolver").split(":");
	const what = title(entry).toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_|_$/g, "") || "event";
	const text = value => `json.loads(r'''${pretty(value).replaceAll("'", "\\u0027")}''')`;
	return `import json

from ${module} import ${name}
from router.testing import TestClient

EVENT = ${text(entry.raw)}
ANSWER = ${text(entry.answer ?? null)}


def test_${what}() -> None:
		assert TestClient(${name}).event(EVENT) == ANSWER
`;
}

/** Copies what the gateway says that a route has to declare. */
export async function copyRequires(route) {
	try {
		const {requires} = await get("permissions");
		const found = requires.find(one => one.route === route);
		if (found) copy(found.text, "requires= is copied");
		else say("No call of this route needs a permission.");
	} catch (error) {
		report(error, "Reading the permissions");
	}
}
