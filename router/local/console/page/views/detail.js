// The details of one event: what came, what became of it, and what can be done with it.
import {address, clock, copy, count, delay, go, html, id as part, listen, moment, plain, plural, span, state, title, useEffect, useKeys, useMemo, useResource, useState} from "../lib/index.js";
import {asTest, bookmark, Button, Columns, copyLink, copyRequires, edited, Empty, Facts, Failed, Icon, Json, Loading, Outcome, replay, SourceBadge, Tabs, Text, Traceback} from "../parts/index.js";
import {RouteName} from "./row.js";

const SETTLE_MS = 70;

/** Follows an id, but not through those that are only passed by a held key. */
function useSettled(id) {
	const [settled, settle] = useState(id);
	useEffect(() => {
		if (id === settled) return undefined;
		const timer = setTimeout(() => settle(id), SETTLE_MS);
		return () => clearTimeout(timer);
	}, [id]);
	return settled;
}

export function EventDetail({id, tab, choose, close, inTrace = false}) {
	const settled = useSettled(id);
	const {data, error, reload} = useResource(`events/${part(settled)}`);
	useEffect(() => listen(entries => entries.some(entry => entry.id === settled) && reload()), [settled]);
	// What was shown stays until the next one is here: nothing flickers.
	const [shown, show] = useState(null);
	useEffect(() => data && show(data), [data]);
	const entry = data ?? (error ? null : shown);
	return html`<aside class="detail" aria-label="Details of ${id}" aria-busy=${entry?.id !== id}>
		${error && error.status === 404
			? html`<${Gone} id=${id} close=${close} />`
			: error && !data
				? html`<${Failed} error=${error} again=${reload} />`
				: entry
					? html`<${Body} entry=${entry} tab=${tab} choose=${choose} close=${close} reload=${reload} inTrace=${inTrace} stale=${entry.id !== id} />`
					: html`<${Loading} of="Reading ${id}" />`}
	</aside>`;
}

const Gone = ({id, close}) => html`<${Empty} title="${id} is not here.">Old events are dropped. <${Button} icon="back" label="Close" onClick=${close} /><//>`;

function tabsOf(entry) {
	const notes = {logs: entry.logs?.length, calls: entry.calls?.length};
	const names = [["overview", "Overview"], ["payload", "Payload"], ["decoded", "Decoded"], ["session", "Session"], ["answer", "Answer"], ["logs", "Logs"], ["calls", "Calls"]];
	return names.map(([name, title_]) => [name, title_, notes[name] ? count(notes[name]) : null]);
}

function Body({entry, tab, choose, close, reload, inTrace, stale}) {
	const tabs = useMemo(() => tabsOf(entry), [entry]);
	const current = tabs.some(([name]) => name === tab) ? tab : "overview";
	const trace = entry.correlation_id && !inTrace ? address("trace", [entry.correlation_id], {at: entry.id}) : null;
	const mark = async () => (await bookmark(entry)) && reload();
	// What is still shown while the next one comes must not be sent by mistake.
	const here = !stale;
	const sendable = entry.kind === "event" || !entry.kind || entry.kind === "task";
	const turn = step => () => choose(tabs[(tabs.findIndex(([name]) => name === current) + step + tabs.length) % tabs.length][0]);
	useKeys({
		r: () => here && sendable && replay(entry),
		e: () => here && sendable && (edited.value = entry),
		b: () => here && mark(),
		t: () => here && trace && go(trace),
		y: () => here && copyLink(entry),
		"]": turn(1),
		"[": turn(-1),
	});
	return html`<header class="detail-head">
			<div class="detail-title">
				<h2><${RouteName} entry=${entry} /></h2>
				<${Button} icon="failed" label="Close the details" hideLabel onClick=${close} />
			</div>
			<p class="detail-sub"><${SourceBadge} entry=${entry} /><${Outcome} outcome=${entry.outcome} status=${entry.status} /><span class="number">${entry.ms == null ? "" : span(entry.ms)}</span><span class="faint number">${entry.id}</span><span class="faint number">${clock(entry.started)}</span></p>
			<div class="actions" role="group" aria-label="Actions" inert=${stale}>
				${sendable && html`<${Button} icon="send" label="Send again" keys="r" onClick=${() => replay(entry)} /><${Button} icon="edit" label="Edit and send" keys="e" onClick=${() => (edited.value = entry)} />`}
				${trace && html`<a class="button small" href=${trace}><${Icon} name="trace" /><span>Trace</span><kbd aria-hidden="true">t</kbd></a>`}
				<${Button} icon="bookmark" label="Bookmark" pressed=${Boolean(entry.bookmarked)} hideLabel onClick=${mark} />
				<${Button} icon="link" label="Copy link" hideLabel onClick=${() => copyLink(entry)} />
				${sendable && html`<${Button} icon="code" label="Copy as test" hideLabel onClick=${() => copy(asTest(entry, state.value?.application), "A test with this event is copied")} />`}
			</div>
			<${Tabs} tabs=${tabs} current=${current} choose=${choose} label="Parts of the event" />
		</header>
		<div class="detail-body" id="panel" role="tabpanel" aria-labelledby="tab-${current}" tabindex="0">
			<${Panel} name=${current} entry=${entry} choose=${choose} />
		</div>`;
}

function Panel({name, entry, choose}) {
	switch (name) {
		case "payload":
			return html`<${Value} value=${entry.raw} label="Payload" none="This entry has no payload." />`;
		case "decoded":
			return html`<${Value} value=${entry.decoded} label="Decoded body" none="The body is not JSON, or there is none." />`;
		case "session":
			return html`<${Value} value=${entry.session} label="Session" none="There is no session." />`;
		case "answer":
			return html`<${Value} value=${entry.answer} label="Answer" none=${entry.outcome === "running" ? "There is no answer yet." : "There is no answer."} />`;
		case "logs":
			return html`<${Logs} lines=${entry.logs ?? []} started=${entry.started} />`;
		case "calls":
			return html`<${Calls} calls=${entry.calls ?? []} route=${entry.route} started=${entry.started} />`;
		default:
			return html`<${Overview} entry=${entry} choose=${choose} />`;
	}
}

const Value = ({value, label, none}) => (value === null || value === undefined ? html`<${Empty} title=${none} />` : html`<${Json} value=${value} label=${label} />`);

const LinkTo = ({id}) => html`<a href=${address("events", [id])}>${id}</a>`;

function Overview({entry, choose}) {
	const waited = delay(entry);
	const bare = (entry.calls ?? []).filter(call => call.covered === false);
	return html`${entry.error && html`<${Traceback} error=${entry.error} />`}
		${entry.fault && html`<p class="hint warn"><${Icon} name="faults" /> Hit on purpose by the fault rule <strong>${plain(entry.fault)}</strong>. <a href=${address("faults")}>Faults</a></p>`}
		${bare.length > 0 && html`<p class="hint warn"><${Icon} name="permissions" /> ${plural(bare.length, "call")} not covered by <code>requires=</code>. <button type="button" class="more" onClick=${() => choose("calls")}>Show</button></p>`}
		<${Facts} of=${[
			["Waited in the queue", waited === null ? null : span(waited)],
			["Try", entry.attempt > 1 ? `number ${entry.attempt}` : null],
			["Tenant", entry.tenant],
			["User", entry.user],
			["Started", moment(entry.started)],
			["Correlation id", entry.correlation_id && html`<a class="mono" href=${address("trace", [entry.correlation_id], {at: entry.id})}><${Text} of=${entry.correlation_id} most=${80} /></a>`],
			["Event id", entry.event_id && html`<span class="mono"><${Text} of=${entry.event_id} most=${120} /></span>`],
			["Came by", entry.origin],
			["Function", entry.function === "main" ? null : entry.function],
			["Records", entry.records],
			["Sent by", entry.parent && html`<${LinkTo} id=${entry.parent} />`],
			["Sends again", entry.replay_of && html`<${LinkTo} id=${entry.replay_of} />`],
		]} />
		${(entry.logs ?? []).length > 0 && html`<h3 class="section">Logs</h3><${Logs} lines=${entry.logs.slice(-6)} started=${entry.started} />`}
		${(entry.calls ?? []).length > 0 && html`<h3 class="section">Calls</h3><${Calls} calls=${entry.calls.slice(0, 6)} started=${entry.started} short />`}`;
}

const LEVELS = {WARNING: "warn", ERROR: "bad", CRITICAL: "bad"};

function Logs({lines, started}) {
	const [most, show] = useState(200);
	if (!lines.length) return html`<${Empty} title="Nothing was logged." />`;
	return html`<ol class="logs">
			${lines.slice(0, most).map(
				(line, index) => html`<li key=${index} class=${LEVELS[line.level] ?? "plain"}>
					<span class="number faint">+${span((line.at - started) * 1000)}</span><span class="level">${line.level}</span>
					<div><span class="log-message"><${Text} of=${line.message} most=${4000} /></span> <span class="faint"><${Text} of=${line.logger} /></span>
						${Object.keys(line.fields ?? {}).length > 0 && html`<details><summary>${plural(Object.keys(line.fields).length, "field")}</summary><${Json} value=${line.fields} label="Fields" /></details>`}
					</div>
				</li>`,
			)}
		</ol>
		${lines.length > most && html`<button type="button" class="more" onClick=${() => show(most + 500)}>${count(lines.length - most)} more lines</button>`}`;
}

export const Covered = ({covered}) =>
	covered == null ? html`<span class="faint">not known</span>` : html`<${Outcome} outcome=${covered ? "done" : "failed"} label=${covered ? "covered" : "not covered"} />`;

function Calls({calls, route, started, short = false}) {
	const [most, show] = useState(200);
	if (!calls.length) return html`<${Empty} title="No call of AWS was made." />`;
	return html`${!short && html`<div class="panel-tools"><${Button} icon="copy" label="Copy as requires=" onClick=${() => copyRequires(route)} /></div>`}
		<table class="table calls-table">
			<${Columns} of=${["At", "Action and resource", ">Took", "Permission"]} />
			<tbody>
				${calls.slice(0, most).map(
					(call, index) => html`<tr key=${index}>
						<td class="number faint">+${span((call.at - started) * 1000)}</td>
						<td><span class="mono action">${call.action}</span>${call.error && html` <span class="tag bad"><${Text} of=${call.error} /></span>`}${call.fault && html` <span class="tag warn"><${Icon} name="faults" />${plain(call.fault)}</span>`}<br /><span class="faint mono resource"><${Text} of=${call.resource} most=${200} /></span></td>
						<td class="number right">${span(call.ms)}</td>
						<td><${Covered} covered=${call.covered} /></td>
					</tr>`,
				)}
			</tbody>
		</table>
		${calls.length > most && html`<button type="button" class="more" onClick=${() => show(most + 500)}>${count(calls.length - most)} more calls</button>`}`;
}
