// JSON as a tree that folds, or as text. Big values are shown a part at a time.
import {count, html, isExact, kept, pretty, useMemo, useSignal, useState} from "../lib/index.js";
import {CopyButton, Text} from "./bits.js";

const PAGE = 100;
const LONG = 600;
const CHUNK = 20_000;
const TEXT_MOST = 200_000;
const OPEN_DEPTH = 3;
const OPEN_SIZE = 40;

const style = kept("json", "tree");

function Leaf({value}) {
	const [shown, show] = useState(LONG);
	if (isExact(value)) return html`<span class="j-number">${value.rawJSON}</span>`;
	if (typeof value !== "string") return html`<span class="j-${value === null ? "null" : typeof value}">${String(value)}</span>`;
	const rest = value.length - shown;
	if (rest <= 0) return html`<span class="j-string">"<${Text} of=${value} />"</span>`;
	return html`<span class="j-string">"<${Text} of=${value.slice(0, shown)} />…"</span>
		<button type="button" class="more" onClick=${() => show(shown + CHUNK)}>${count(rest)} more characters</button>`;
}

const isBranch = value => value !== null && typeof value === "object" && !isExact(value);

function Branch({name, value, depth}) {
	const keys = useMemo(() => (Array.isArray(value) ? null : Object.keys(value)), [value]);
	const size = keys ? keys.length : value.length;
	const [open, setOpen] = useState(!depth || (depth < OPEN_DEPTH && size <= OPEN_SIZE));
	const [shown, show] = useState(PAGE);
	const [left, right] = keys ? ["{", "}"] : ["[", "]"];
	const label = name === null ? "the whole" : String(name);
	if (!size) return html`<${Key} name=${name} /><span class="j-sign">${left}${right}</span>`;
	const rest = size - shown;
	return html`<button type="button" class="fold" aria-expanded=${open} aria-label="${label}, ${size} ${keys ? "keys" : "items"}" onClick=${() => setOpen(!open)}></button
		><${Key} name=${name} /><span class="j-sign">${left}</span>${open ? null : html`<span class="j-size">${count(size)} ${keys ? (size === 1 ? "key" : "keys") : size === 1 ? "item" : "items"}</span><span class="j-sign">${right}</span>`}
		${open &&
		html`<ul>
				${(keys ?? value).slice(0, shown).map((item, index) => {
					const key = keys ? item : index;
					return html`<li key=${key}><${Node} name=${key} value=${keys ? value[item] : item} depth=${depth + 1} /></li>`;
				})}
				${rest > 0 && html`<li><button type="button" class="more" onClick=${() => show(shown + PAGE)}>${count(Math.min(rest, PAGE))} more of ${count(rest)}</button></li>`}
			</ul>
			<span class="j-sign">${right}</span>`}`;
}

const Key = ({name}) => (name === null ? null : html`<span class=${typeof name === "number" ? "j-index" : "j-key"}><${Text} of=${name} most=${300} /></span><span class="j-sign">: </span>`);

function Node({name, value, depth}) {
	if (isBranch(value)) return html`<${Branch} name=${name} value=${value} depth=${depth} />`;
	return html`<${Key} name=${name} /><${Leaf} value=${value} />`;
}

function AsText({value}) {
	const text = useMemo(() => pretty(value), [value]);
	const [shown, show] = useState(TEXT_MOST);
	return html`<pre class="code" tabindex="0"><${Text} of=${text.slice(0, shown)} /></pre>
		${text.length > shown && html`<button type="button" class="more" onClick=${() => show(shown + TEXT_MOST)}>${count(text.length - shown)} more characters</button>`}`;
}

/** Shows a value. A text that is JSON itself stays a text: it is what the function got. */
export function Json({value, label, tools = null}) {
	const how = useSignal(style);
	return html`<div class="json">
		<div class="json-tools">
			<div class="segments" role="group" aria-label="How ${label} is shown">
				${["tree", "text"].map(name => html`<button type="button" key=${name} aria-pressed=${how === name} onClick=${() => (style.value = name)}>${name === "tree" ? "Tree" : "Text"}</button>`)}
			</div>
			${tools}
			<${CopyButton} text=${() => pretty(value)} name="${label} copied" />
		</div>
		${how === "tree" ? html`<div class="tree" role="group" aria-label=${label}><${Node} name=${null} value=${value} depth=${0} /></div>` : html`<${AsText} value=${value} />`}
	</div>`;
}
