// Queues: how many messages wait, what is in them, and dead letters to send back.
import { html, useState } from "../lib/dom.js";
import { call, id, report, useResource } from "../lib/api.js";
import { ticks } from "../lib/live.js";
import { count, plain, plural } from "../lib/format.js";
import { address, place } from "../lib/router.js";
import { useSignal } from "../lib/signal.js";
import { say } from "../lib/speak.js";
import { Button, Empty, Facts, Heading, Shown, Text } from "../parts/bits.js";
import { Icon } from "../parts/icons.js";
import { Json } from "../parts/json.js";
import { parse } from "../lib/exact.js";

export function Queues() {
  const { rest } = useSignal(place);
  const queues = useResource("queues", { follow: "entries" });
  return html`<div class="page">
    <${Heading} title="Queues" note="Looking at a message does not take it." />
    <${Shown} of=${queues}>${(data) => html`<${Table} queues=${data.queues} chosen=${rest[0]} />`}<//>
    ${rest[0] && html`<${Messages} key=${rest[0]} name=${rest[0]} />`}
  </div>`;
}

function Table({ queues, chosen }) {
  const redrive = async (queue) => {
    try {
      const done = await call("POST", `queues/${id(queue.name)}/redrive`, {});
      say(`${plural(done.moved, "message")} ${done.moved === 1 ? "was" : "were"} sent back.${done.left ? ` ${count(done.left)} stay: ${done.why}.` : ""}`);
      ticks.entries.value += 1;
    } catch (error) {
      report(error, `Sending back what is in ${queue.name}`);
    }
  };
  if (!queues.length) return html`<${Empty} title="There are no queues.">The application has no route for a queue.<//>`;
  const dead = (queue) => queue.dead_letters_of.length > 0;
  return html`<table class="table">
    <thead><tr><th scope="col">Queue</th><th scope="col" class="right">Waiting</th><th scope="col" class="right">In flight</th><th scope="col" class="right">Later</th><th scope="col">Dead letters of</th><th scope="col"><span class="offscreen">Actions</span></th></tr></thead>
    <tbody>
      ${queues.map((queue) => html`<tr key=${queue.name} class=${queue.name === chosen ? "current" : null}>
        <td><a class="cell-link" href=${address("queues", [queue.name])} aria-current=${queue.name === chosen ? "true" : null}><${Text} of=${queue.name} most=${100} /></a>${queue.fifo && html` <span class="tag">FIFO</span>`}${dead(queue) && queue.messages > 0 && html` <span class="tag bad"><${Icon} name="warning" />dead letters</span>`}</td>
        <td class="number right"><strong>${count(queue.messages ?? 0)}</strong></td>
        <td class="number right">${count(queue.in_flight ?? 0)}</td>
        <td class="number right">${count(queue.delayed ?? 0)}</td>
        <td>${dead(queue) ? plain(queue.dead_letters_of.join(", ")) : html`<span class="faint">–</span>`}</td>
        <td class="right">${dead(queue) && html`<${Button} icon="retry" label="Send back" title="Send all messages of ${plain(queue.name)} back to where they came from" disabled=${!queue.messages} onClick=${() => redrive(queue)} />`}</td>
      </tr>`)}
    </tbody>
  </table>`;
}

const decode = (text) => {
  try {
    return parse(text);
  } catch {
    return text;
  }
};

function Messages({ name }) {
  const messages = useResource(`queues/${id(name)}/messages`, { follow: "entries" });
  const [open, setOpen] = useState(null);
  return html`<section aria-label="Messages of ${name}">
    <h2 class="section">Messages in <${Text} of=${name} /></h2>
    <${Shown} of=${messages}>
      ${(data) => {
        const list = data.messages;
        if (!list.length) return html`<${Empty} title="The queue is empty." />`;
        return html`<ul class="cards">
          ${list.map((message, index) => {
            const key = message.id ?? index;
            const { body } = message;
            const shown = open === key;
            return html`<li key=${key} class="card">
              <button type="button" class="fold-line" aria-expanded=${String(shown)} onClick=${() => setOpen(shown ? null : key)}><span class="mono">${plain(key)}</span> <span class="faint ellipsis"><${Text} of=${body} most=${120} /></span></button>
              ${shown && html`<${Json} value=${{ ...message, body: decode(body) }} label="Message" />`}
            </li>`;
          })}
        </ul>`;
      }}
    <//>
  </section>`;
}
