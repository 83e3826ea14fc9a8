// Queues: how many messages wait, what is in them, and dead letters to send back.
import {act, address, count, html, id, parse, place, plain, plural, ticks, useResource, useSignal, useState} from "../lib/index.js";
import {Button, Columns, Empty, Heading, Icon, Json, Shown, Text} from "../parts/index.js";

export function Queues() {
	const {rest} = useSignal(place);
	const queues = useResource("queues", {follow: "entries"});
	return html`<div class="page">
		<${Heading} title="Queues" note="Looking at a message does not take it." />
		<${Shown} of=${queues}>${data => html`<${Table} queues=${data.queues} chosen=${rest[0]} />`}<//>
		${rest[0] && html`<${Messages} key=${rest[0]} name=${rest[0]} />`}
	</div>`;
}

function Table({queues, chosen}) {
	const said = ({moved, left, why}) => `${plural(moved, "message")} ${moved === 1 ? "was" : "were"} sent back.${left ? ` ${count(left)} stay: ${why}.` : ""}`;
	const redrive = ({name}) => act(["POST", `queues/${id(name)}/redrive`, {}], said, `Sending back what is in ${name}`, () => (ticks.entries.value += 1));
	if (!queues.length) return html`<${Empty} title="There are no queues.">The application has no route for a queue.<//>`;
	const dead = queue => queue.dead_letters_of.length > 0;
	return html`<table class="table">
		<${Columns} of=${["Queue", ">Waiting", ">In flight", ">Later", "Dead letters of", ""]} />
		<tbody>
			${queues.map(queue => html`<tr key=${queue.name} class=${queue.name === chosen ? "current" : null}>
				<td><a class="cell-link" href=${address("queues", [queue.name])} aria-current=${queue.name === chosen ? "true" : null}><${Text} of=${queue.name} most=${100} /></a>${queue.fifo && html` <span class="tag">FIFO</span>`}${dead(queue) && queue.messages > 0 && html` <span class="tag bad"><${Icon} name="warning" />dead letters</span>`}</td>
				<td class="number right"><strong>${count(queue.messages)}</strong></td>
				<td class="number right">${count(queue.in_flight)}</td>
				<td class="number right">${count(queue.delayed)}</td>
				<td>${dead(queue) ? plain(queue.dead_letters_of.join(", ")) : html`<span class="faint">–</span>`}</td>
				<td class="right">${dead(queue) && html`<${Button} icon="retry" label="Send back" disabled=${!queue.messages} onClick=${() => redrive(queue)} />`}</td>
			</tr>`)}
		</tbody>
	</table>`;
}

const decode = text => {
	try {
		return parse(text);
	} catch {
		return text;
	}
};

function Messages({name}) {
	const messages = useResource(`queues/${id(name)}/messages`, {follow: "entries"});
	const [open, setOpen] = useState(null);
	return html`<section aria-label="Messages of ${name}">
		<h2 class="section">Messages in <${Text} of=${name} /></h2>
		<${Shown} of=${messages}>
			${data => {
				const list = data.messages;
				if (!list.length) return html`<${Empty} title="The queue is empty." />`;
				return html`<ul class="cards">
					${list.map((message, index) => {
						const key = message.id ?? index;
						const {body} = message;
						const shown = open === key;
						return html`<li key=${key} class="card">
							<button type="button" class="fold-line" aria-expanded=${shown} onClick=${() => setOpen(shown ? null : key)}><span class="mono">${plain(key)}</span> <span class="faint ellipsis"><${Text} of=${body} most=${120} /></span></button>
							${shown && html`<${Json} value=${{...message, body: decode(body)}} label="Message" />`}
						</li>`;
					})}
				</ul>`;
			}}
		<//>
	</section>`;
}
