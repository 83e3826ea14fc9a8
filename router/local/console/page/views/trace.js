// Trace: the way of one event over all hops, as a waterfall.
import {address, ago, classes, count, delay, go, html, id as part, listen, memo, place, plain, span, title, useEffect, useKeys, useMemo, useResource, useSignal, useState} from "../lib/index.js";
import {Button, Columns, Empty, Heading, Icon, Outcome, Shown, SourceBadge, Spread, Text, toneOf, useRows, useWalk} from "../parts/index.js";
import {EventDetail} from "./detail.js";
import {RouteName} from "./row.js";
import {bar, barOfMany, extent, marks, waterfall} from "./trace_model.js";

const HEIGHT = 38;
const HEAD = 30;
const SMALLEST = 1e-5;

export function Trace() {
	const {rest, query} = useSignal(place);
	return rest[0] ? html`<${Way} key=${rest[0]} id=${rest[0]} at=${query.get("at")} tab=${query.get("tab")} />` : html`<${Recent} />`;
}

function Recent() {
	const events = useResource("events?limit=1000", {follow: "entries"});
	return html`<div class="page">
		<${Heading} title="Traces" note="The newest events, by the way they took." />
		<${Shown} of=${events}>${data => html`<${RecentList} entries=${data.entries} />`}<//>
	</div>`;
}

function RecentList({entries}) {
	const ways = useMemo(() => {
		const made = Map.groupBy(entries.filter(entry => entry.trace), entry => entry.trace);
		// Those of one hop are shown where there are no others.
		const several = [...made].filter(([, hops]) => hops.length > 1);
		return (several.length ? several : [...made]).slice(0, 60);
	}, [entries]);
	if (!ways.length) return html`<${Empty} title="There is no trace yet."><a href=${address("send")}>Send a sample</a><//>`;
	return html`<table class="table">
		<${Columns} of=${["Began with", "Hops", ">Took", "Outcome", ">When"]} />
		<tbody>
			${ways.map(([id, hops]) => {
				const first = hops.at(-1);
				const {from, to} = extent(hops);
				const worst = hops.find(entry => toneOf(entry.outcome) === "bad") ?? hops.find(entry => toneOf(entry.outcome) !== "good") ?? first;
				return html`<tr key=${id}>
					<td><a class="cell-link" href=${address("trace", [id])}><${RouteName} entry=${first} /></a><div class="faint mono small-text"><${Text} of=${id} most=${60} /></div></td>
					<td><span class="hops">${hops.slice().reverse().slice(0, 7).map(entry => html`<${SourceBadge} key=${entry.id} entry=${entry} />`)}</span>${hops.length > 7 ? html` <span class="faint">+ ${count(hops.length - 7)}</span>` : null}</td>
					<td class="number right">${span((to - from) * 1000)}</td>
					<td><${Outcome} outcome=${worst.outcome} status=${worst.status} /></td>
					<td class="number right faint">${ago(first.started)}</td>
				</tr>`;
			})}
		</tbody>
	</table>`;
}

function Way({id, at, tab}) {
	const trace = useResource(`traces/${part(id)}`);
	useEffect(() => listen(entries => entries.some(entry => entry.correlation_id === id) && trace.reload()), [id]);
	const select = (entry, name = tab) => go(address("trace", [id], {at: entry, tab: entry && name}), {replace: true});
	return html`<div class=${at ? "split with-detail" : "split"} style=${{"--detail": "460px"}}>
		<section class="list-side trace" aria-label="Trace">
			<${Shown} of=${trace} empty=${html`<${Empty} title="There is no such trace." />`}>
				${data => html`<${Waterfall} data=${data} id=${id} at=${at} select=${select} />`}
			<//>
		</section>
		${at && html`<span class="divider still"></span><${EventDetail} id=${at} tab=${tab} inTrace choose=${name => select(at, name)} close=${() => select(null)} />`}
	</div>`;
}

function useNow(running) {
	const [now, put] = useState(Date.now() / 1000);
	useEffect(() => {
		if (!running) return undefined;
		const timer = setInterval(() => put(Date.now() / 1000), 250);
		return () => clearInterval(timer);
	}, [running]);
	return now;
}

function Waterfall({data, id, at, select}) {
	const entries = data.entries;
	const [open, setOpen] = useState(new Set());
	const [closed, setClosed] = useState(new Set());
	const now = useNow(entries.some(entry => entry.outcome === "running"));
	const made = useMemo(() => waterfall(entries, {open, closed, now}), [entries, open, closed, now]);
	const [zoom, setZoom] = useState([0, 1]);
	const {box, first, last, reveal, page} = useRows({count: made.rows.length, height: HEIGHT, head: HEAD});
	const length = made.to - made.from;
	const from = made.from + zoom[0] * length;
	const to = made.from + zoom[1] * length;
	const ids = useMemo(() => new Map(made.rows.map((row, index) => [row.entry?.id ?? row.id, index])), [made]);
	const current = ids.get(at) ?? -1;
	const scale = factor => {
		const middle = (zoom[0] + zoom[1]) / 2;
		const width = Math.min(1, Math.max(SMALLEST, (zoom[1] - zoom[0]) * factor));
		const left = Math.min(1 - width, Math.max(0, middle - ((middle - zoom[0]) / (zoom[1] - zoom[0])) * width));
		setZoom([left, left + width]);
	};
	const move = by => {
		const width = zoom[1] - zoom[0];
		const left = Math.min(1 - width, Math.max(0, zoom[0] + by * width));
		setZoom([left, left + width]);
	};
	const fit = () => setZoom([0, 1]);
	const to_ = (index, step = 1) => {
		while (made.rows[index]?.via) index += step; // it has no details of its own
		const row = made.rows[Math.max(0, Math.min(made.rows.length - 1, index))];
		if (!row) return;
		reveal(ids.get(row.entry?.id ?? row.id));
		select(row.entry?.id ?? row.many[0].id);
	};
	useWalk({at: current, count: made.rows.length, page, to: to_, isOpen: Boolean(at), leave: () => select(null), back: box});
	const unless = action => event => (event.target.closest?.(".detail") ? false : action());
	useKeys({
		ArrowLeft: unless(() => move(-0.2)), ArrowRight: unless(() => move(0.2)),
		"+": () => scale(0.6), "=": () => scale(0.6), "-": () => scale(1 / 0.6), 0: fit,
	});
	useEffect(() => {
		if (current >= 0) reveal(current);
	}, []);
	const fold = row => {
		const next = new Set(closed);
		if (!next.delete(row.entry.id)) next.add(row.entry.id);
		setClosed(next);
	};
	const click = event => {
		const line = event.target.closest("[data-row]");
		if (!line) return;
		const row = made.rows[Number(line.dataset.row)];
		if (row.many) setOpen(new Set(open).add(row.key));
		else if (row.via) select(row.before.id);
		else if (event.target.closest(".twist")) fold(row);
		else select(row.entry.id);
	};
	const root = made.rows[0]?.entry;
	const hops = (data.total ?? entries.length) + entries.reduce((sum, entry) => sum + (entry.via?.length ?? 0), 0);
	const rows = [];
	for (let index = first; index < last; index += 1) {
		const row = made.rows[index];
		if (row) rows.push(html`<${Row} key=${row.entry?.id ?? row.id} row=${row} index=${index} selected=${index === current} from=${from} to=${to} now=${row.entry?.outcome === "running" ? now : 0} />`);
	}
	return html`<header class="trace-head">
			<div>
				<h1 tabindex="-1">${root ? html`<${RouteName} entry=${root} />` : "Trace"}</h1>
				<p class="trace-facts">
					<span><strong class="number">${span(length * 1000)}</strong> in all</span>
					<span><strong class="number">${count(hops)}</strong> ${hops === 1 ? "hop" : "hops"}</span>
					<span><i class="key waited" aria-hidden="true"></i><strong class="number">${span(made.waited)}</strong> waited</span>
					<span><i class="key ran" aria-hidden="true"></i><strong class="number">${span(made.ran)}</strong> ran</span>
					${made.tries > 0 && html`<span><i class="key again" aria-hidden="true"></i><strong class="number">${made.tries}</strong> ${made.tries === 1 ? "retry" : "retries"}</span>`}
					${made.failed > 0 && html`<span class="bad"><${Icon} name="failed" /><strong class="number">${made.failed}</strong> failed</span>`}
					<span class="faint mono id"><${Text} of=${data.correlation_id ?? id} most=${60} /></span>
				</p>
			</div>
			<div class="heading-tools" role="group" aria-label="Zoom">
				<${Button} icon="minus" label="Zoom out" hideLabel onClick=${() => scale(1 / 0.6)} />
				<${Button} icon="add" label="Zoom in" hideLabel onClick=${() => scale(0.6)} />
				<${Button} icon="fit" label="Fit" keys="0" onClick=${fit} />
			</div>
		</header>
		${(data.total ?? 0) > entries.length && html`<p class="hint">The first ${count(entries.length)} of ${count(data.total)} hops are shown.</p>`}
		<div class="grid waterfall" role="treegrid" aria-label="Hops" aria-rowcount=${made.rows.length + 1} tabindex="0" ref=${box} onClick=${click} aria-activedescendant=${current >= first && current < last ? `hop-${made.rows[current].entry?.id}` : null}>
			<div class="hop head" role="row" aria-rowindex="1">
				<span role="columnheader">Hop</span>
				<span role="columnheader" class="axis" aria-label="Time from the begin"><${Axis} from=${zoom[0] * length * 1000} ms=${(to - from) * 1000} /></span>
			</div>
			<${Spread} count=${made.rows.length} height=${HEIGHT} first=${first}>${rows}<//>
		</div>`;
}

const Axis = memo(({from, ms}) => {
	const {step, marks: places} = marks(ms);
	const shift = Math.ceil(from / step) * step - from;
	return html`${places.filter(at => at + shift <= ms).map(at => html`<span key=${at} class="mark" style=${{left: `${((at + shift) / ms) * 100}%`}}>${(at + shift) / ms < 0.93 && html`<span>${at + shift + from < 1e-6 ? "0" : tidy(at + shift + from)}</span>`}</span>`)}`;
});

function tidy(ms) {
	if (ms >= 1000) return `${Number((ms / 1000).toFixed(3))} s`;
	return `${Number(ms.toFixed(3))} ms`;
}

const percent = part => `${(part * 100).toFixed(3)}%`;
const within = part => Math.max(-0.002, Math.min(1.002, part));

const Row = memo(({row, index, selected, from, to, now}) => {
	if (row.many) return html`<${Many} row=${row} index=${index} from=${from} to=${to} />`;
	if (row.via) return html`<${Passed} row=${row} index=${index} from=${from} to=${to} />`;
	const {entry, children} = row;
	const {begin, start, end} = bar(entry, from, to, now || undefined);
	const waited = delay(entry);
	const said = [waited ? `waited ${span(waited)}` : null, entry.outcome === "running" ? "running" : `ran ${span(entry.ms)}`];
	const label = `${plain(title(entry))}, ${entry.source ?? entry.kind}, ${entry.attempt > 1 ? `try ${entry.attempt}, ` : ""}${said.filter(Boolean).join(", ")}, ${entry.outcome}`;
	const seen = end >= 0 && begin <= 1;
	const name = html`
		<span class=${children ? (row.closed ? "twist shut" : "twist") : "twist none"} aria-hidden="true"></span>
		<${SourceBadge} entry=${entry} /><${RouteName} entry=${entry} />
		${entry.attempt > 1 && html`<span class="tag warn"><${Icon} name="retry" />try ${entry.attempt}</span>`}
		${entry.fault && html`<span class="tag warn"><${Icon} name="faults" />fault</span>`}`;
	return html`<${Line} row=${row} index=${index} id=${entry.id} name=${name} class=${classes("hop", selected && "selected")} aria-selected=${selected} aria-expanded=${children ? !row.closed : null} aria-label=${label} title=${label}>
		${seen && waited > 0 && start > begin && html`<${Bar} of="waited" begin=${begin} end=${start} />`}
		${
			seen
				? html`<${Bar} of="ran ${toneOf(entry.outcome)} ${entry.attempt > 1 ? "again" : ""}" begin=${start} end=${end} /><${Label} start=${within(begin)} end=${within(end)}>${waited > 0 ? html`<span class="faint">waited ${span(waited)},</span> ` : null}${entry.ms == null ? "" : html`<span class="number">ran ${span(entry.ms)}</span>`}${entry.outcome === "done" ? null : html` <${Outcome} outcome=${entry.outcome} status=${entry.status} />`}<//>`
				: html`<span class="away ${end < 0 ? "left" : "right"}">${end < 0 ? "← earlier" : "later →"}</span>`
		}
	<//>`;
});

const Line = ({row, index, id, name, children, ...rest}) => html`<div class="hop" role="row" id="hop-${id}" data-row=${index} aria-rowindex=${index + 2} aria-level=${row.depth + 1} ...${rest}>
	<span class="hop-name" role="gridcell" style=${{"--depth": Math.min(row.depth, 12)}}>${name}</span>
	<span class="lane" role="gridcell">${children}</span>
</div>`;

const Bar = ({of, begin, end}) => html`<span class="bar ${of}" style=${{left: percent(within(begin)), width: percent(within(end) - within(begin))}}></span>`;

/** The words of a bar: behind it, or before it where there is no room. */
function Label({start, end, children}) {
	const style = end < 0.74 ? {left: percent(Math.max(0, end))} : start > 0.3 ? {right: percent(1 - Math.min(1, start))} : {right: percent(0.005)};
	return html`<span class=${end >= 0.74 && start <= 0.3 ? "bar-label over" : "bar-label"} style=${style}>${children}</span>`;
}

/** A service that a message came through, such as a topic: the moment at which it was handed on. */
function Passed({row, index, from, to}) {
	const {via, before, id} = row;
	const {begin: at} = bar(before, from, to);
	const name = html`<span class="twist none"></span><${SourceBadge} entry=${via} /><${Text} of=${via.name} most=${80} />`;
	return html`<${Line} row=${row} index=${index} id=${id} name=${name} aria-label="${plain(via.name)}, ${via.source}, passed on">
		${at >= 0 && at <= 1 && html`<${Bar} of="ran" begin=${at} end=${at} /><${Label} start=${at} end=${at}><span class="faint">passed on</span><//>`}
	<//>`;
}

function Many({row, index, from, to}) {
	const {many, id} = row;
	const {begin, end} = barOfMany(many, from, to);
	const failed = many.filter(entry => toneOf(entry.outcome) === "bad").length;
	const label = `${count(many.length)} more of ${plain(title(many[0]))}; press to show them`;
	const name = html`<span class="twist none"></span><button type="button" class="more" aria-label=${label}>+ ${count(many.length)} of the same route</button>${failed ? html` <span class="tag bad">${failed} failed</span>` : null}`;
	return html`<${Line} row=${row} index=${index} id=${id} name=${name}><${Bar} of="many" begin=${begin} end=${end} /><//>`;
}
