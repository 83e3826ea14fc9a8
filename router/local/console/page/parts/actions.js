// What can be done with an event, from a button or a key.
import { call, get, id, report } from "../lib/api.js";
import { address } from "../lib/router.js";
import { title } from "../lib/format.js";
import { Signal } from "../lib/signal.js";
import { copy, say } from "../lib/speak.js";

/** The event that is edited at the moment: its detail, or null. */
export const edited = new Signal(null);

export async function replay(entry) {
  try {
    await call("POST", `events/${id(entry.id)}/replay`, {});
    say(`${entry.id} was sent again.`);
  } catch (error) {
    report(error, `Sending ${entry.id} again`);
  }
}

export async function bookmark(entry) {
  try {
    await call(entry.bookmarked ? "DELETE" : "PUT", `events/${id(entry.id)}/bookmark`);
    say(entry.bookmarked ? `The bookmark of ${entry.id} is gone.` : `${entry.id} is bookmarked.`);
    return true;
  } catch (error) {
    report(error, `The bookmark of ${entry.id}`);
    return false;
  }
}

export const copyLink = (entry) => copy(location.origin + address("events", [entry.id]), `The link to ${entry.id} is copied`);

const ESCAPES = /[\u0080-\uffff]/g;

/** A value as Python writes it. */
export function python(value, indent = "") {
  const inner = `${indent}    `;
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "None";
  if (typeof value === "string") return JSON.stringify(value).replace(ESCAPES, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (value.rawJSON) return value.rawJSON;
  const list = Array.isArray(value);
  const parts = list ? value.map((item) => python(item, inner)) : Object.entries(value).map(([key, item]) => `${python(key)}: ${python(item, inner)}`);
  const [left, right] = list ? "[]" : "{}";
  return parts.length ? `${left}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indent}${right}` : left + right;
}

const SURROGATES = /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/g;

function joined(text) {
  // Python has one escape for what JavaScript writes as two.
  return text.replace(SURROGATES, (_, high, low) => {
    const point = (parseInt(high, 16) - 0xd800) * 0x400 + (parseInt(low, 16) - 0xdc00) + 0x10000;
    return `\\U${point.toString(16).padStart(8, "0")}`;
  });
}

export function asTest(entry, application) {
  const [module, name = "resolver"] = String(application || "app:resolver").split(":");
  const title_ = title(entry).toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "") || "event";
  return joined(`from ${module} import ${name}
from router.testing import TestClient

EVENT = ${python(entry.payload ?? entry.raw)}


def test_${title_}() -> None:
    answer = TestClient(${name}).event(EVENT)

    assert answer == ${python(entry.answer ?? null, "    ")}
`);
}

/** Copies what the gateway says that a route has to declare. */
export async function copyRequires(route) {
  try {
    const { requires } = await get("permissions");
    const found = requires.find((one) => one.route === route);
    if (found) copy(found.text, "requires= is copied");
    else say("No call of this route needs a permission.");
  } catch (error) {
    report(error, "Reading the permissions");
  }
}
