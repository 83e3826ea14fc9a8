// The filters above the list of events.
import {count, html, place, plain, state, useEffect, useKeys, useRef, useSignal, useState} from "../lib/index.js";
import {Icon} from "../parts/index.js";

const OUTCOMES = ["running", "done", "failed", "retry", "discarded", "refused", "unrouted", "timed out", "died", "lost answer"];
const KINDS = ["event", "push", "task", "notice"];
const WAIT_MS = 180;

export function Filters({filters, set, clear}) {
	const application = useSignal(state);
	const routes = application?.routes ?? [];
	const counts = application?.counts ?? {};
	const all = name => [...new Set([...routes.map(route => route[name]), ...Object.keys(counts[name] ?? {})])].filter(Boolean).sort();
	const any = Object.keys(filters).length > 0;
	return html`<div class="filters" role="search" aria-label="Filter the events">
		<${SearchField} value=${filters.q ?? ""} change=${text => set("q", text)} />
		<div class="filter-row">
			<${Choice} name="source" options=${all("source")} counts=${counts.source} filters=${filters} set=${set} />
			<${Choice} name="route" options=${all("route")} counts=${counts.route} filters=${filters} set=${set} />
			<${Choice} name="outcome" options=${OUTCOMES} counts=${counts.outcome} filters=${filters} set=${set} />
			<${Choice} name="kind" options=${KINDS} filters=${filters} set=${set} />
			<${Tenant} value=${filters.tenant ?? ""} set=${set} />
			<button type="button" class="filter toggle" aria-pressed=${Boolean(filters.bookmarked)} onClick=${() => set("bookmarked", filters.bookmarked ? "" : "true")}><${Icon} name="bookmark" /><span>Bookmarked</span></button>
			${filters.correlation_id && html`<span class="filter set">one trace</span>`}
			${any && html`<button type="button" class="filter clear" onClick=${clear}><${Icon} name="failed" /><span>Clear</span></button>`}
		</div>
	</div>`;
}

function Choice({name, options, counts, filters, set}) {
	const value = filters[name] ?? "";
	const all = value && !options.includes(value) ? [value, ...options] : options;
	return html`<label class=${value ? "filter set" : "filter"}>
		<span class="filter-name">${name}</span>
		<select value=${value} onChange=${event => set(name, event.currentTarget.value)}>
			<option value="">any</option>
			${all.map(option => html`<option key=${option} value=${option}>${plain(option)}${counts?.[option] ? ` (${count(counts[option])})` : ""}</option>`)}
		</select>
	</label>`;
}

const Tenant = ({value, set}) => html`<label class=${value ? "filter set" : "filter"}>
	<span class="filter-name">tenant</span>
	<input size="8" value=${value} placeholder="any" spellcheck="false" autocomplete="off" onChange=${event => set("tenant", event.currentTarget.value.trim())} />
</label>`;

function SearchField({value, change}) {
	const field = useRef(null);
	const timer = useRef(null);
	const [text, put] = useState(value);
	useEffect(() => {
		if (document.activeElement !== field.current) put(value);
	}, [value]);
	const soon = now => {
		put(now);
		clearTimeout(timer.current);
		timer.current = setTimeout(() => change(now.trim()), WAIT_MS);
	};
	useKeys({
		"/": () => field.current.focus(),
	});
	useEffect(() => {
		if (place.value.query.has("search")) field.current.focus();
	}, []);
	const keys = event => {
		if (event.key !== "Escape" && event.key !== "Enter") return;
		event.preventDefault();
		event.stopPropagation();
		clearTimeout(timer.current);
		if (event.key === "Escape" && text) {
			put("");
			change("");
			return;
		}
		change(text.trim());
		document.querySelector(".events-grid")?.focus();
	};
	return html`<label class="search">
		<${Icon} name="search" />
		<span class="offscreen">Search in the events</span>
		<input ref=${field} type="search" value=${text} placeholder="Search in payloads, ids, errors" spellcheck="false" autocomplete="off" onInput=${event => soon(event.currentTarget.value)} onKeyDown=${keys} />
		<kbd aria-hidden="true">/</kbd>
	</label>`;
}
