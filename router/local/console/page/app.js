// The console: its frame, and the view that the address names.
import { html, render, useEffect, useLayoutEffect, useRef, useState } from "./lib/dom.js";
import { plain, span } from "./lib/format.js";
import { SHORTCUTS, letters, useKeys } from "./lib/keys.js";
import { connect, gateway, state } from "./lib/live.js";
import { address, go, place } from "./lib/router.js";
import { note } from "./lib/speak.js";
import { followState, phase, problem } from "./lib/state.js";
import { Signal, useSignal } from "./lib/signal.js";
import { edited } from "./parts/actions.js";
import { Boundary, Button, Empty, Heading } from "./parts/bits.js";
import { Dialog } from "./parts/dialog.js";
import { EditDialog } from "./parts/resend.js";
import { Icon } from "./parts/icons.js";
import { Traceback } from "./parts/traceback.js";
import { Connections } from "./views/connections.js";
import { Events } from "./views/events.js";
import { Executions } from "./views/executions.js";
import { Faults } from "./views/faults.js";
import { Permissions } from "./views/permissions.js";
import { Queues } from "./views/queues.js";
import { Routes } from "./views/routes.js";
import { Send } from "./views/send.js";
import { State } from "./views/state.js";
import { Trace } from "./views/trace.js";

const VIEWS = {
  events: ["Events", "events", "e", Events],
  trace: ["Traces", "trace", "t", Trace],
  routes: ["Routes", "routes", "r", Routes],
  send: ["Send", "send", "s", Send],
  queues: ["Queues", "queues", "q", Queues],
  connections: ["Connections", "connections", "c", Connections],
  executions: ["Executions", "executions", "x", Executions],
  faults: ["Faults", "faults", "f", Faults],
  permissions: ["Permissions", "permissions", "p", Permissions],
  state: ["State", "state", "a", State],
};
const GROUPS = [["events", "trace", "routes"], ["send", "queues", "connections", "executions"], ["faults", "permissions", "state"]];
const THEMES = [["system", "screen"], ["light", "sun"], ["dark", "moon"]];

const help = new Signal(false);
const theme = new Signal(document.documentElement.dataset.theme ?? "system");

theme.follow((name) => {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("junction.theme", name);
  } catch {
    // Not remembered, where the browser keeps nothing.
  }
});
const nextTheme = () => (theme.value = THEMES[(THEMES.findIndex(([name]) => name === theme.value) + 1) % THEMES.length][0]);

function App() {
  const { view } = useSignal(place);
  const [title, , , Shown] = VIEWS[view] ?? ["Not found", null, null, NotFound];
  const main = useRef(null);
  const before = useRef(view);
  useLayoutEffect(() => {
    document.title = `${title} · Junction`;
    if (before.current === view) return;
    before.current = view;
    // Who came by a link or a key reads on from the head of the view.
    (main.current.querySelector("h1[tabindex], [role=grid], [role=treegrid]") ?? main.current).focus({ preventScroll: true });
  }, [view]);
  const keys = { "?": () => (help.value = true), d: nextTheme };
  for (const [name, [, , letter]] of Object.entries(VIEWS)) keys[`g ${letter}`] = () => go(address(name));
  if (view !== "events") keys["/"] = () => go(address("events", [], { search: "1" }));
  useKeys(keys);
  const asked = useSignal(help);
  const editing = useSignal(edited);
  return html`<a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      main.current.focus();
    }}>Skip to the content</a>
    <${Head} />
    <${Side} current=${view} />
    <main id="main" tabindex="-1" ref=${main}>
      <${Banner} />
      <div class="view"><${Boundary} key=${view} name=${view}><${Shown} /><//></div>
    </main>
    <${Note} />
    ${asked && html`<${Help} close=${() => (help.value = false)} />`}
    ${editing && html`<${EditDialog} key=${editing.id} entry=${editing} close=${() => (edited.value = null)} />`}`;
}

function Head() {
  const now = useSignal(state);
  const chosen = useSignal(theme);
  return html`<header class="top">
    <a class="brand" href=${address("events")} aria-label="Junction, to the events"><svg viewBox="0 0 32 32" aria-hidden="true"><g fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round"><path d="M4 16h20" /><path d="M4 8c8 0 7 8 15 8" /><path d="M4 24c8 0 7-8 15-8" /></g><circle cx="26" cy="16" r="3.500" fill="currentColor" /></svg><span>Junction</span></a>
    <span class="application">${plain(now?.application?.name ?? "")}</span>
    <${Status} />
    <span class="stretch"></span>
    <${Button} label="Keys" keys="?" onClick=${() => (help.value = true)} />
    <div class="segments themes" role="group" aria-label="Theme">
      ${THEMES.map(([name, icon]) => html`<button type="button" key=${name} aria-pressed=${String(chosen === name)} aria-label=${`${name} theme`} title=${`${name} theme`} onClick=${() => (theme.value = name)}><${Icon} name=${icon} /></button>`)}
    </div>
  </header>`;
}

const PHASES = { ready: ["good", "ready"], reloading: ["live", "reloading"], starting: ["live", "starting"], broken: ["bad", "broken"], stopped: ["bad", "stopped"] };

function Status() {
  const now = useSignal(state);
  const { status } = useSignal(gateway);
  if (status === "gone") return html`<span class="status-now bad"><i class="dot"></i>gateway gone</span>`;
  if (!now) return html`<span class="status-now"><i class="dot"></i>connecting</span>`;
  const [tone, word] = PHASES[phase(now)] ?? ["plain", phase(now)];
  const { took_ms: took, reloads } = now.application;
  return html`<a class="status-now ${tone}" href=${address("state")}><i class="dot"></i>${word}${tone === "good" && took ? html`<span class="faint"> · ${reloads ? "reloaded" : "started"} in ${span(took)}</span>` : null}</a>`;
}

function Side({ current }) {
  return html`<nav class="side" aria-label="Views">
    ${GROUPS.map(
      (names, index) => html`<ul key=${index}>
        ${names.map((name) => {
          const [title, icon, letter] = VIEWS[name];
          return html`<li key=${name}><a href=${address(name)} aria-current=${name === current ? "page" : null} title="${title} (g ${letter})"><${Icon} name=${icon} /><span>${title}</span></a></li>`;
        })}
      </ul>`,
    )}
  </nav>`;
}

function Banner() {
  const now = useSignal(state);
  const { status, next } = useSignal(gateway);
  if (status === "gone") return html`<${GoneBanner} next=${next} />`;
  if (!now) return null;
  const name = phase(now);
  if (name === "reloading" || name === "starting") return html`<div class="banner live" role="status"><${Icon} name="running" /> <strong>The application is ${name === "starting" ? "starting" : "reloading"}.</strong> <span>Calls wait until it is ready.</span></div>`;
  if (name !== "broken") return null;
  return html`<${BrokenBanner} error=${problem(now)} />`;
}

function BrokenBanner({ error }) {
  const detailed = error && typeof error === "object";
  return html`<div class="banner bad" role="alert">
    <p><${Icon} name="warning" /> <strong>The application cannot be imported.</strong> <span>It is tried again when a file is saved.</span></p>
    ${detailed ? html`<${Traceback} error=${error} />` : error && html`<pre class="code" tabindex="0">${plain(error)}</pre>`}
  </div>`;
}

function GoneBanner({ next }) {
  const [now, put] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => put(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((next - now) / 1000));
  return html`<div class="banner bad">
    <p><span role="alert"><${Icon} name="warning" /> <strong>The gateway does not answer.</strong> <span>What you see is what was known before.</span></span> <span class="faint number">Next try ${seconds ? `in ${seconds} s` : "now"}</span> <${Button} icon="retry" label="Try now" onClick=${connect} /></p>
  </div>`;
}

function Note() {
  const now = useSignal(note);
  return html`<div class="note" role="status" aria-live="polite">${now && html`<p class=${now.tone}>${now.text}</p>`}</div>`;
}

function Help({ close }) {
  const on = useSignal(letters);
  return html`<${Dialog} title="Keys" close=${close} wide=${true}>
    <div class="keys">
      ${SHORTCUTS.map(
        ([title, keys]) => html`<section key=${title}>
          <h3>${title}</h3>
          <dl>${keys.map(([key, what]) => html`<div key=${key}><dt>${key.split(", ").map((one) => html`<kbd key=${one}>${one}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
        </section>`,
      )}
    </div>
    <label class="check"><input type="checkbox" checked=${on} onChange=${(event) => (letters.value = event.currentTarget.checked)} /> Single letters do something. Turn it off when you dictate.</label>
  <//>`;
}

const NotFound = () => html`<div class="page"><${Heading} title="Not found" /><${Empty} title="There is no such view."><a href=${address("events")}>To the events</a><//></div>`;

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${Boundary} name="console"><${App} /><//>`, root);
followState();
connect();
