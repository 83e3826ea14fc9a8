// State: the application, its addresses and settings, and how much is kept.
import {act, html, plain, problem, span, ticks, useResource} from "../lib/index.js";
import {Button, CopyButton, Facts, Heading, Json, Shown, Traceback} from "../parts/index.js";

export function State() {
	const state = useResource("state", {follow: "state"});
	return html`<div class="page"><${Shown} of=${state}>${data => html`<${All} data=${data} />`}<//></div>`;
}

function All({data}) {
	const {application} = data;
	const failure = problem(data);
	const clear = () => act(["DELETE", "events"], "All events without a bookmark are dropped.", "Dropping the events", () => (ticks.resync.value += 1));
	return html`<${Heading} title="State" note=${plain(application.name)}><${Button} icon="failed" label="Drop all events" danger onClick=${clear} /><//>
		<h2 class="section">Application</h2>
		<${Facts} of=${Object.entries(application).filter(([name]) => name !== "error").map(([name, value]) => [name === "took_ms" ? "Started in" : label(name), name === "took_ms" ? span(value) : String(value ?? "")]).concat([["Junction", data.version]])} />
		${failure && html`<${Traceback} error=${failure} />`}
		<h2 class="section">Addresses</h2><ul class="urls">${Object.entries(data.urls).map(([name, url]) => html`<li key=${name}><span class="faint">${label(name)}</span> <code>${plain(url)}</code> <${CopyButton} text=${url} name="The address is copied" /></li>`)}</ul>
		${["settings", "history", "counts"].filter(name => data[name]).map(name => html`<h2 key=${name} class="section">${label(name)}</h2><${Json} key=${`${name}-json`} value=${data[name]} label=${label(name)} />`)}`;
}

const label = name => {
	const text = String(name).replaceAll("_", " ");
	return text[0].toUpperCase() + text.slice(1);
};
