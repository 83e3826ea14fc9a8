// Events: the list, live, and beside it the details of one.
import {address, count, go, html, kept, listen, place, plural, query, report, ticks, useEffect, useLayoutEffect, useMemo, useRef, useSignal, useState} from "../lib/index.js";
import {Button, Empty, Failed, Loading, Spread, useRows, useWalk} from "../parts/index.js";
import {EventDetail} from "./detail.js";
import {EventList, FILTERS} from "./events_model.js";
import {Filters} from "./filters.js";
import {EventRow, HEAD} from "./row.js";

const HEIGHT = 32;
const width = kept("detail", 500);

/** One list for the whole visit: coming back to it finds it as it was. */
let list = null;
const watched = new Set();
const changed = () => watched.forEach(draw => draw({}));

function theList() {
	if (!list) {
		list = new EventList(changed);
		listen(entries => list.take(entries));
		ticks.resync.follow(() => list.read().catch(error => report(error, "Reading the events")));
	}
	return list;
}

function useList(filters) {
	const [, draw] = useState({});
	const events = theList();
	useLayoutEffect(() => {
		watched.add(draw);
		return () => watched.delete(draw);
	}, []);
	const key = JSON.stringify(filters);
	useEffect(() => {
		events.read(filters).catch(error => report(error, "Reading the events"));
	}, [key]);
	return events;
}

export function Events() {
	const {rest} = useSignal(place);
	const asked = query();
	const filters = useMemo(() => Object.fromEntries(FILTERS.filter(name => asked[name]).map(name => [name, asked[name]])), [JSON.stringify(asked)]);
	const events = useList(filters);
	const [selected = null, tab = null] = rest;
	const choose = (id, options) => go(address("events", [id, id && tab], filters), options);
	return html`<div class=${selected ? "split with-detail" : "split"} style=${{"--detail": `${useSignal(width)}px`}}>
		<section class="list-side" aria-label="Events">
			<${Filters} filters=${filters} set=${(name, value) => go(address("events", rest, {...filters, [name]: value}), {replace: name === "q"})} clear=${() => go(address("events", rest))} />
			<${List} events=${events} selected=${selected} choose=${choose} clear=${() => go(address("events", rest))} />
		</section>
		${selected &&
		html`<${Divider} />
			<${EventDetail} id=${selected} tab=${tab} choose=${name => go(address("events", [selected, name], filters), {replace: true})} close=${() => choose(null)} />`}
	</div>`;
}

function List({events, selected, choose, clear}) {
	const {box, first, last, reveal, page} = useRows({count: events.length, height: HEIGHT, head: HEAD});
	const row = selected ? events.rowOf(selected) : -1;
	// The row that the keyboard is at, where the selected one is not here (yet).
	const at = useRef(0);
	if (row >= 0) at.current = row;
	useEffect(() => events.need(first, last), [first, last, events.length]);
	useEffect(() => {
		const element = box.current;
		const scrolled = () => {
			const top = element.scrollTop < HEIGHT;
			if (top === events.following) return;
			events.following = top;
			if (top && events.waiting.length) {
				events.show();
				changed();
			}
		};
		scrolled();
		element.addEventListener("scroll", scrolled, {passive: true});
		return () => element.removeEventListener("scroll", scrolled);
	}, [events]);
	const to = next => {
		const bounded = Math.max(0, Math.min(events.length - 1, next));
		at.current = bounded;
		reveal(bounded);
		const entry = events.at(bounded);
		if (entry) choose(entry.id, {replace: selected !== null});
		else {
			events.need(bounded, bounded);
			pending.current = bounded;
		}
	};
	const pending = useRef(null);
	useEffect(() => {
		if (pending.current === null) return;
		const entry = events.at(pending.current);
		if (!entry) return;
		pending.current = null;
		choose(entry.id, {replace: selected !== null});
	});
	useWalk({at: selected || at.current ? at.current : -1, count: events.length, page, to, isOpen: Boolean(selected), leave: () => choose(null), back: box});
	const rows = [];
	for (let index = first; index < last; index += 1) {
		const entry = events.at(index);
		rows.push(html`<${EventRow} key=${entry?.id ?? `row-${index}`} entry=${entry} index=${index} selected=${entry !== undefined && entry.id === selected} />`);
	}
	const click = event => {
		const id = event.target.closest("[data-id]")?.dataset.id;
		if (id) choose(id, {replace: selected !== null});
	};
	const shows = row >= first && row < last;
	return html`<div class="list-box">
		${events.waiting.length > 0 &&
		html`<button type="button" class="pill" onClick=${() => {
			box.current.scrollTop = 0;
			events.following = true;
			events.show();
			changed();
		}}>↑ ${count(events.waiting.length)} new</button>`}
		<div
			class="grid events-grid"
			role="grid"
			aria-label="Events"
			aria-rowcount=${events.length + 1}
			aria-activedescendant=${shows ? `row-${selected}` : null}
			tabindex="0"
			ref=${box}
			onClick=${click}
		>
			<div class="row head" role="row" aria-rowindex="1">
				${["Time", "Source", "Route", "Tenant", "Try", "Waited", "Took", "Outcome"].map((name, index) => html`<span key=${name} role="columnheader" class="c${index}">${name}</span>`)}
			</div>
			<${Spread} count=${events.length} height=${HEIGHT} first=${first}>${rows}<//>
		</div>
		${!events.ready && html`<${Loading} of="Reading the events" />`}
		${events.error && events.length === 0 && html`<${Failed} error=${events.error} again=${() => events.read().catch(() => {})} />`}
		${events.ready && !events.error && events.length === 0 &&
		(events.filtered
			? html`<${Empty} title="No event fits these filters."><${Button} icon="failed" label="Clear the filters" onClick=${clear} /><//>`
			: html`<${Empty} title="Nothing has happened yet.">Call the application, or <a href=${address("send")}>send a sample</a>. What comes is seen here at once.<//>`)}
		<p class="list-foot"><span>${plural(events.length, "event")}${events.filtered ? " that fit" : ""}</span><span class="faint keys-hint"><kbd>j</kbd> <kbd>k</kbd> move · <kbd>Enter</kbd> details · <kbd>?</kbd> all keys</span></p>
	</div>`;
}

/** The line between the list and the details: dragged, or moved by arrow keys. */
function Divider() {
	const now = useSignal(width);
	const set = value => (width.value = Math.round(Math.max(340, Math.min(window.innerWidth * 0.65, value))));
	const grip = event => event.currentTarget.setPointerCapture(event.pointerId);
	const drag = event => event.currentTarget.hasPointerCapture(event.pointerId) && set(window.innerWidth - event.clientX);
	const keys = event => {
		const step = {ArrowLeft: 24, ArrowRight: -24}[event.key];
		if (!step) return;
		event.preventDefault();
		event.stopPropagation();
		set(now + step);
	};
	return html`<div class="divider" role="separator" aria-orientation="vertical" aria-label="Width of the details" aria-valuenow=${now} aria-valuemin="340" aria-valuemax="1200" tabindex="0" onPointerDown=${grip} onPointerMove=${drag} onKeyDown=${keys}></div>`;
}
