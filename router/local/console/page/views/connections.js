// Connections: open WebSockets, and a box to write to them.
import { html, useState } from "../lib/dom.js";
import { call, id, report, useResource } from "../lib/api.js";
import { ago, plain } from "../lib/format.js";
import { address, place } from "../lib/router.js";
import { state } from "../lib/state.js";
import { useSignal } from "../lib/signal.js";
import { say } from "../lib/speak.js";
import { Button, CopyButton, Empty, Heading, Shown, Text } from "../parts/bits.js";
import { Json } from "../parts/json.js";

export function Connections() {
  const { rest } = useSignal(place);
  const connections = useResource("connections", { follow: "entries" });
  return html`<div class="page">
    <${Heading} title="Connections" note="Clients that are connected by WebSocket." />
    <${Shown} of=${connections}>${(data) => html`<${List} connections=${data.connections} chosen=${rest[0]} reload=${connections.reload} />`}<//>
  </div>`;
}

function List({ connections, chosen, reload }) {
  const now = useSignal(state);
  const url = now?.urls?.websocket;
  if (!connections.length) {
    return html`<${Empty} title="No client is connected.">${url && html`Connect to <code>${url}</code> <${CopyButton} text=${url} name="The address is copied" />`}<//>`;
  }
  return html`<ul class="cards">${connections.map((one) => html`<${One} key=${one.id} one=${one} open=${one.id === chosen || connections.length === 1} reload=${reload} />`)}</ul>`;
}

function One({ one, open, reload }) {
  const [text, put] = useState("");
  const send = async (event) => {
    event.preventDefault();
    try {
      await call("POST", `connections/${id(one.id)}/message`, { text });
      say("The message was sent.");
      put("");
    } catch (error) {
      report(error, `The message to ${one.id}`);
    }
  };
  const close = async () => {
    try {
      await call("DELETE", `connections/${id(one.id)}`);
      say(`${one.id} is closed.`);
      reload();
    } catch (error) {
      report(error, `Closing ${one.id}`);
    }
  };
  const { id: _, opened, ...rest } = one;
  return html`<li class=${open ? "card current" : "card"}>
    <div class="card-head">
      <h2><a class="cell-link mono" href=${address("connections", [one.id])}><${Text} of=${one.id} most=${80} /></a></h2>
      <span class="faint">connected ${ago(opened)}</span>
      <a class="button small" href=${address("events", [], { q: one.id })}>Its events</a>
      <${Button} icon="failed" label="Close" title="Close ${plain(one.id)}" danger=${true} onClick=${close} />
    </div>
    <form class="message" onSubmit=${send}>
      <label><span class="offscreen">Message to ${plain(one.id)}</span><textarea rows="2" value=${text} placeholder="Message to this client" onInput=${(event) => put(event.currentTarget.value)} onKeyDown=${(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && text && send(event)}></textarea></label>
      <button type="submit" class="button primary" disabled=${!text}>Send</button>
    </form>
    ${Object.keys(rest).length > 0 && html`<details><summary>What is known of it</summary><${Json} value=${rest} label="Connection" /></details>`}
  </li>`;
}
