// JSON without loss: a number that JavaScript cannot hold exactly is kept as it is written.

const keeps = typeof JSON.rawJSON === "function";

function revive(_key, value, context) {
  if (typeof value !== "number" || !context?.source || Object.is(Number(context.source), -0)) return value;
  if (Number.isInteger(value) ? Number.isSafeInteger(value) : context.source.length < 17) return value;
  return String(value) === context.source ? value : JSON.rawJSON(context.source);
}

export const isExact = (value) => keeps && JSON.isRawJSON(value);

/** Reads JSON. The second pass runs only where there is a number that needs it. */
export function parse(text) {
  return keeps && /\d{16}/.test(text) ? JSON.parse(text, revive) : JSON.parse(text);
}

export const write = (value) => JSON.stringify(value);
export const pretty = (value) => JSON.stringify(value, null, 2) ?? "null";

const SPACE = /[\t\n\r ]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;

/**
 * Finds the first mistake of a text that should be JSON: {message, line, column, at}, or null.
 * Browsers differ in what they say, and say no place for short texts.
 */
export function mistake(text) {
  let at = 0;
  const wrong = (message, where = at) => {
    const lines = text.slice(0, where).split("\n");
    return { message, at: where, line: lines.length, column: lines.at(-1).length + 1 };
  };
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at += found[0].length;
    return found !== null;
  };
  // A loop with a stack of its own: deep text must not end the page.
  const open = [];
  let state = "value";
  for (;;) {
    take(SPACE);
    const sign = text[at];
    if (state === "value" || state === "first") {
      if (state === "first" && sign === "]") {
        at += 1;
        open.pop();
        state = "after";
      } else if (sign === "{") {
        at += 1;
        open.push("}");
        state = "key or end";
      } else if (sign === "[") {
        at += 1;
        open.push("]");
        state = "first";
      } else if (take(STRING) || take(NUMBER) || take(WORD)) state = "after";
      else if (sign === undefined) return wrong("the text ends where a value is expected");
      else if (sign === '"') return wrong(stringMistake(text, at));
      else if (sign === "'") return wrong("text needs double quotes");
      else return wrong(`a value is expected, not ${show(sign)}`);
    } else if (state === "key or end" || state === "key") {
      if (sign === "}" && state === "key or end") {
        at += 1;
        open.pop();
        state = "after";
      } else if (take(STRING)) {
        take(SPACE);
        if (text[at] !== ":") return wrong("a colon is expected after the key");
        at += 1;
        state = "value";
      } else if (sign === "}") return wrong("a key is expected after the comma");
      else return wrong(sign === undefined ? "the text ends within an object" : `a key in double quotes is expected, not ${show(sign)}`);
    } else {
      const end = open.at(-1);
      if (end === undefined) return sign === undefined ? null : wrong(`nothing is expected after the end, but there is ${show(sign)}`);
      if (sign === end) {
        at += 1;
        open.pop();
      } else if (sign === ",") {
        at += 1;
        state = end === "}" ? "key" : "value";
      } else return wrong(`a comma or ${end} is expected${sign === undefined ? " before the text ends" : `, not ${show(sign)}`}`);
    }
  }
}

const show = (sign) => (/[!-~]/.test(sign) ? sign : `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);

function stringMistake(text, at) {
  const rest = text.slice(at + 1).match(/^(?:[^"\\\n]|\\.)*/)[0];
  return text[at + 1 + rest.length] === '"' ? "the text in quotes has a wrong escape or a control character" : "the closing quote is missing";
}
