// Connections: open WebSockets, and a box to write to them.
import {act, address, ago, html, id, place, plain, state, useResource, useSignal, useState} from "../lib/index.js";
import {Button, CopyButton, Empty, Heading, Json, Shown, Text} from "../parts/index.js";

export function Connections() {
	const {rest} = useSignal(place);
	const connections = useResource("connections", {follow: "entries"});
	return html`<div class="page">
		<${Heading} title="Connections" note="Clients that are connected by WebSocket." />
		<${Shown} of=${connections}>${data => html`<${List} connections=${data.connections} chosen=${rest[0]} reload=${connections.reload} />`}<//>
	</div>`;
}

function List({connections, chosen, reload}) {
	const now = useSignal(state);
	const url = now?.urls?.websocket;
	if (!connections.length) {
		return html`<${Empty} title="No client is connected.">${url && html`Connect to <code>${url}</code> <${CopyButton} text=${url} name="The address is copied" />`}<//>`;
	}
	return html`<ul class="cards">${connections.map(one => html`<${One} key=${one.id} one=${one} open=${one.id === chosen} reload=${reload} />`)}</ul>`;
}

function One({one, open, reload}) {
	const [text, put] = useState("");
	const path = `connections/${id(one.id)}`;
	const send = event => {
		event.preventDefault();
		act(["POST", `${path}/message`, {text}], "The message was sent.", `The message to ${one.id}`, () => put(""));
	};
	const close = () => act(["DELETE", path], `${one.id} is closed.`, `Closing ${one.id}`, reload);
	const {id: _, opened, ...rest} = one;
	return html`<li class=${open ? "card current" : "card"}>
		<div class="card-head">
			<h2><a class="cell-link mono" href=${address("connections", [one.id])}><${Text} of=${one.id} most=${80} /></a></h2>
			<span class="faint">connected ${ago(opened)}</span>
			<a class="button small" href=${address("events", [], {q: one.id})}>Its events</a>
			<${Button} icon="failed" label="Close" title="Close ${plain(one.id)}" danger onClick=${close} />
		</div>
		<form class="message" onSubmit=${send}>
			<label><span class="offscreen">Message to ${plain(one.id)}</span><textarea rows="2" value=${text} placeholder="Message to this client" onInput=${event => put(event.currentTarget.value)} onKeyDown=${event => event.key === "Enter" && (event.ctrlKey || event.metaKey) && text && send(event)}></textarea></label>
			<button type="submit" class="button primary" disabled=${!text}>Send</button>
		</form>
		<details><summary>What is known of it</summary><${Json} value=${rest} label="Connection" /></details>
	</li>`;
}
