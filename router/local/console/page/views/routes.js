// Routes: what the application answers to, by source.
import {address, ago, count, html, plain, useMemo, useResource, useState} from "../lib/index.js";
import {Columns, Empty, Heading, Icon, Outcome, Shown, SourceBadge, Text} from "../parts/index.js";
import {RouteName} from "./row.js";

export function Routes() {
	const state = useResource("state", {follow: "entries"});
	const newest = useResource("events?limit=1000&kind=event", {follow: "entries"});
	const last = useMemo(() => new Map((newest.data?.entries ?? []).toReversed().map(entry => [entry.route, entry])), [newest.data]);
	return html`<div class="page">
		<${Heading} title="Routes" note="Everything that the application answers to." />
		<${Shown} of=${state}>${data => html`<${Table} routes=${data.routes ?? []} counts=${data.counts?.route ?? {}} last=${last} front=${data.settings.source} />`}<//>
	</div>`;
}

function Table({routes, counts, last: newest, front}) {
	const [asked, ask] = useState("");
	const groups = useMemo(() => {
		const fits = ({source, route, handler, file}) => JSON.stringify([source, route, handler, file]).toLowerCase().includes(asked.toLowerCase());
		return [...Map.groupBy(routes.filter(fits), route => route.source)];
	}, [routes, asked]);
	if (!routes.length) return html`<${Empty} title="The application has no route.">Write one, and save: it is seen here.<//>`;
	return html`<label class="search page-search"><${Icon} name="search" /><span class="offscreen">Find a route</span><input type="search" placeholder="Find a route" value=${asked} onInput=${event => ask(event.currentTarget.value)} /></label>
		${groups.length === 0 && html`<${Empty} title="No route fits." />`}
		<table class="table routes-table">
			<${Columns} of=${["Route", "Handler", ">Events", "Last", ""]} />
			${groups.map(
				([source, list]) => html`<tbody key=${source}>
					<tr class="group"><th scope="rowgroup" colspan="5"><${SourceBadge} entry=${{source}} /> <span class="faint number">${list.length}</span></th></tr>
					${list.map((route, index) => {
						const times = counts[route.route] ?? 0;
						const last = newest.get(route.route);
						return html`<tr key=${`${route.route} ${index}`}>
							<td><a class="cell-link" href=${address("events", [], {route: route.route})}><${RouteName} entry=${route} /></a>${route.function && route.function !== "main" ? html` <span class="tag">${plain(route.function)}</span>` : null}</td>
							<td class="mono small-text"><${Text} of=${route.handler} most=${80} /><br /><span class="faint"><${Text} of=${route.file} most=${120} />${route.line ? `:${route.line}` : ""}</span></td>
							<td class="number right">${times ? count(times) : html`<span class="faint">0</span>`}</td>
							<td>${last ? html`<${Outcome} outcome=${last.outcome} status=${last.status} /><span class="faint small-text"> ${ago(last.started)}</span>` : html`<span class="faint">–</span>`}</td>
							<td class="right"><a class="button small" href=${address("send", [front && route.sources?.includes(front) ? front : route.source], {route: route.route})} aria-label="Send a sample to ${plain(route.route)}"><${Icon} name="send" /><span>Send a sample</span></a></td>
						</tr>`;
					})}
				</tbody>`,
			)}
		</table>`;
}
