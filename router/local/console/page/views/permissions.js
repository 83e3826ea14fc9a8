// Permissions: the calls that handlers made, those first that nothing covers.
import {address, count, html, plain, plural, useResource} from "../lib/index.js";
import {Columns, CopyButton, Empty, Heading, Shown, Text} from "../parts/index.js";
import {Covered} from "./detail.js";

export function Permissions() {
	const permissions = useResource("permissions", {follow: "entries"});
	return html`<div class="page"><${Shown} of=${permissions}>${data => html`<${List} data=${data} />`}<//></div>`;
}

function List({data}) {
	const bare = data.calls.filter(one => one.covered === false);
	const sorted = [...bare, ...data.calls.filter(one => one.covered !== false)];
	const texts = data.requires;
	return html`<${Heading} title="Permissions" note=${bare.length ? `${plural(bare.length, "action")} called, but not covered by requires=. In AWS they would be denied.` : "What handlers call, and whether requires= covers it."}>
			${bare.length > 0 && html`<${CopyButton} label="Copy all as requires=" text=${() => texts.map(one => `# ${one.route}\n${one.text}`).join("\n")} name="requires= is copied" />`}
		<//>
		${sorted.length === 0
			? html`<${Empty} title="No handler has called AWS yet." />`
			: html`<table class="table">
					<${Columns} of=${["Permission", "Action", "Resource", "Route", ">Calls"]} />
					<tbody>${sorted.map((one, index) => html`<tr key=${`${one.route} ${one.action} ${one.resource} ${index}`}>
						<td><${Covered} covered=${one.covered} /></td>
						<td class="mono">${plain(one.action)}</td>
						<td class="mono small-text"><${Text} of=${one.resource} most=${160} /></td>
						<td>${one.route ? html`<a class="cell-link" href=${address("events", [], {route: one.route})}><${Text} of=${one.route} most=${100} /></a>` : html`<span class="faint">–</span>`}</td>
						<td class="number right">${count(one.count)}</td>
					</tr>`)}</tbody>
				</table>`}
		${texts.length > 0 && html`<h2 class="section">As requires=</h2><ul class="cards">${texts.map(one => html`<li key=${one.route} class="card"><div class="card-head"><h2 class="mono"><${Text} of=${one.route} most=${120} /></h2><${CopyButton} label="Copy as requires=" text=${one.text} name="requires= is copied" /></div><pre class="code" tabindex="0"><${Text} of=${one.text} most=${4000} /></pre>${one.made_up?.length > 0 && html`<p class="faint small-text">No variable names ${one.made_up.length === 1 ? "this resource" : "these resources"} yet; the name is made up: ${plain(one.made_up.join(", "))}</p>`}</li>`)}</ul>`}`;
}
