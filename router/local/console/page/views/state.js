// State: the application, where it can be reached, its reloads, versions, and how much is kept.
import { html } from "../lib/dom.js";
import { call, report, useResource } from "../lib/api.js";
import { plain } from "../lib/format.js";
import { problem } from "../lib/state.js";
import { ticks } from "../lib/live.js";
import { say } from "../lib/speak.js";
import { Button, CopyButton, Facts, Heading, Shown } from "../parts/bits.js";
import { Json } from "../parts/json.js";
import { Traceback } from "../parts/traceback.js";

export function State() {
  const state = useResource("state", { follow: "state" });
  return html`<div class="page"><${Shown} of=${state}>${(data) => html`<${All} data=${data} />`}<//></div>`;
}

function All({ data }) {
  const { application } = data;
  const failure = problem(data);
  const clear = async () => {
    try {
      await call("DELETE", "events");
      say("All events are dropped.");
      ticks.resync.value += 1;
    } catch (error) {
      report(error, "Dropping the events");
    }
  };
  return html`<${Heading} title="State" note=${plain(application.name)}><${Button} icon="failed" label="Drop all events" danger=${true} onClick=${clear} /><//>
    <h2 class="section">Application</h2>
    <${Facts} of=${Object.entries(application).filter(([name]) => name !== "error").map(([name, value]) => [label(name), String(value ?? "")]).concat([["Junction", data.version]])} />
    ${failure && (typeof failure === "object" ? html`<${Traceback} error=${failure} />` : html`<pre class="code" tabindex="0">${plain(failure)}</pre>`)}
    ${html`<h2 class="section">Addresses</h2><ul class="urls">${Object.entries(data.urls).map(([name, url]) => html`<li key=${name}><span class="faint">${label(name)}</span> <code>${plain(url)}</code> <${CopyButton} text=${url} name="The address is copied" /></li>`)}</ul>`}
    ${["settings", "history", "counts"].filter((name) => data[name]).map((name) => html`<h2 key=${name} class="section">${label(name)}</h2><${Json} key=${`${name}-json`} value=${data[name]} label=${label(name)} />`)}`;
}

const label = (name) => {
  const text = String(name).replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
};
