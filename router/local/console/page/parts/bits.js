// Small things that stand everywhere.
import {classes, codeOf, copy, html, memo, pieces, plain, span, useErrorBoundary} from "../lib/index.js";
import {Icon, family} from "./icons.js";

/** Shows a text of somebody else: hidden signs and turns of direction are named, and nothing around it is turned. */
export function Text({of, most = 0}) {
	let text = String(of ?? "");
	const cut = most && text.length > most;
	if (cut) text = text.slice(0, most);
	const parts = pieces(text);
	return html`<bdi
		>${parts.map(part => (Array.isArray(part) ? html`<span class="hidden-sign" title="a sign that cannot be seen">${codeOf(part[0])}</span>` : part))}${cut ? "…" : ""}</bdi
	>`;
}

export const SourceBadge = memo(({entry}) => {
	const name = entry.kind === "event" || !entry.kind ? entry.source : entry.kind;
	return html`<span class="source"><${Icon} name=${family(entry)} /><span class="source-name">${plain(name)}</span></span>`;
});

const TONES = {
	done: "good", failed: "bad", died: "bad", "timed out": "bad", "lost answer": "bad", retry: "warn", refused: "warn",
	unrouted: "warn", discarded: "plain", running: "live",
};
const ICONS = {"timed out": "clock", "lost answer": "unrouted"};

export const toneOf = outcome => TONES[outcome] ?? "plain";

export const Outcome = memo(({outcome, status = null, label = outcome}) => html`<span class="outcome ${toneOf(outcome)}">
	<${Icon} name=${ICONS[outcome] ?? outcome} /><span>${label}${status && outcome !== "running" ? html` <span class="status">${status}</span>` : ""}</span>
</span>`);

export function Button({icon, label, keys, onClick, disabled, primary, danger, small = true, title, pressed, hideLabel}) {
	return html`<button
		type="button"
		class=${classes("button", small && "small", primary && "primary", danger && "danger")}
		onClick=${onClick}
		disabled=${disabled}
		title=${title ?? (keys ? `${label} (${keys})` : hideLabel ? label : null)}
		aria-label=${hideLabel ? label : null}
		aria-pressed=${pressed}
	>
		${icon && html`<${Icon} name=${icon} />`}${hideLabel ? null : html`<span>${label}</span>`}${keys && !hideLabel ? html`<kbd aria-hidden="true">${keys}</kbd>` : null}
	</button>`;
}

export const CopyButton = ({text, label = "Copy", name = "Copied"}) =>
	html`<${Button} icon="copy" label=${label} onClick=${() => copy(typeof text === "function" ? text() : text, name)} />`;

export const Empty = ({title, children}) => html`<div class="empty"><p class="empty-title">${title}</p>${children && html`<p>${children}</p>`}</div>`;

export const Loading = ({of = "Loading"}) => html`<p class="loading" role="status">${of} …</p>`;

/** What stands in place of data that could not be read. */
export function Failed({error, again}) {
	return html`<div class="failed-box" role="group" aria-label="Error">
		<p><${Icon} name="warning" /> <strong>${plain(error.message)}</strong></p>
		${again && html`<${Button} icon="retry" label="Try again" onClick=${again} />`}
	</div>`;
}

/** Shows what a resource has come to: loading, failed, empty, or the view of its data. */
export function Shown({of, empty = null, children}) {
	if (of.data !== null) {
		return html`${of.error && html`<${Failed} error=${of.error} again=${of.reload} />`}${children(of.data)}`;
	}
	if (of.error) return html`<${Failed} error=${of.error} again=${of.reload} />`;
	return of.loading ? html`<${Loading} />` : empty;
}

/** Keeps a failure of one view within it, and says what failed. */
export function Boundary({name, children}) {
	const [error, reset] = useErrorBoundary(caught => window.junctionTrouble(`The view ${name} could not be drawn: ${caught?.message ?? caught}`, caught?.stack));
	if (!error) return children;
	return html`<div class="failed-box" role="group" aria-label="Error">
		<p><${Icon} name="warning" /> <strong>This part of the page could not be drawn.</strong> ${plain(error.message)}</p>
		<${Button} icon="retry" label="Draw it again" onClick=${reset} />
	</div>`;
}

/** The head of a table. A column whose name begins with > is one of numbers; one without a name holds buttons. */
export const Columns = ({of}) => html`<thead><tr>${of.map(
	name => html`<th key=${name} scope="col" class=${name[0] === ">" ? "right" : null}>${name.replace(">", "") || html`<span class="offscreen">Actions</span>`}</th>`,
)}</tr></thead>`;

export const Heading = ({title, note, children}) => html`<header class="heading">
	<div><h1 tabindex="-1">${title}</h1>${note && html`<p>${note}</p>`}</div>
	${children && html`<div class="heading-tools">${children}</div>`}
</header>`;

export const Facts = ({of}) => html`<dl class="facts">
	${of.filter(([, value]) => value !== null && value !== undefined && value !== "").map(
		([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${typeof value === "string" || typeof value === "number" ? html`<${Text} of=${value} most=${400} />` : value}</dd></div>`,
	)}
</dl>`;
