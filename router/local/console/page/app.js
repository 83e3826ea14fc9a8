// The console: its frame, and the view that the address names.
import {SHORTCUTS, address, connect, followState, gateway, go, html, kept, letters, note, phase, place, plain, problem, render, Signal, span, state, useEffect, useKeys, useLayoutEffect, useRef, useSignal, useState} from "./lib/index.js";
import {Boundary, Button, Dialog, EditDialog, edited, Heading, Icon, Traceback} from "./parts/index.js";
import {Connections} from "./views/connections.js";
import {Events} from "./views/events.js";
import {Executions} from "./views/executions.js";
import {Faults} from "./views/faults.js";
import {Permissions} from "./views/permissions.js";
import {Queues} from "./views/queues.js";
import {Routes} from "./views/routes.js";
import {Send} from "./views/send.js";
import {State} from "./views/state.js";
import {Trace} from "./views/trace.js";

const VIEWS = {
	events: ["Events", "e", Events],
	trace: ["Traces", "t", Trace],
	routes: ["Routes", "r", Routes],
	send: ["Send", "s", Send],
	queues: ["Queues", "q", Queues],
	connections: ["Connections", "c", Connections],
	executions: ["Executions", "x", Executions],
	faults: ["Faults", "f", Faults],
	permissions: ["Permissions", "p", Permissions],
	state: ["State", "a", State],
};
const GROUPS = [["events", "trace", "routes"], ["send", "queues", "connections", "executions"], ["faults", "permissions", "state"]];
const THEMES = [["system", "screen"], ["light", "sun"], ["dark", "moon"]];

const help = new Signal(false);
const theme = kept("theme", "system");

theme.follow(name => {
	if (name === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = name;
});
const nextTheme = () => (theme.value = THEMES[(THEMES.findIndex(([name]) => name === theme.value) + 1) % THEMES.length][0]);

function App() {
	const {view} = useSignal(place);
	const [title, , Shown] = VIEWS[view] ?? ["Not found", null, NotFound];
	const main = useRef(null);
	const before = useRef(view);
	useLayoutEffect(() => {
		document.title = `${title} · Junction`;
		if (before.current === view) return;
		before.current = view;
		// Who came by a link or a key reads on from the head of the view.
		(main.current.querySelector("h1[tabindex], [role=grid], [role=treegrid]") ?? main.current).focus({preventScroll: true});
	}, [view]);
	const keys = {"?": () => (help.value = true), d: nextTheme};
	for (const [name, [, letter]] of Object.entries(VIEWS)) keys[`g ${letter}`] = () => go(address(name));
	if (view !== "events") keys["/"] = () => go(address("events", [], {search: "1"}));
	useKeys(keys);
	const asked = useSignal(help);
	const editing = useSignal(edited);
	return html`<a class="skip" href="#main">Skip to the content</a>
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
		<a class="brand" href=${address("events")} aria-label="Junction, to the events"><img src="/_console/assets/icon.svg" alt="" /><span>Junction</span></a>
		<span class="application">${plain(now?.application?.name ?? "")}</span>
		<${Status} />
		<span class="stretch"></span>
		<${Button} label="Keys" keys="?" onClick=${() => (help.value = true)} />
		<div class="segments themes" role="group" aria-label="Theme">
			${THEMES.map(([name, icon]) => html`<button type="button" key=${name} aria-pressed=${chosen === name} aria-label=${`${name} theme`} title=${`${name} theme`} onClick=${() => (theme.value = name)}><${Icon} name=${icon} /></button>`)}
		</div>
	</header>`;
}

const TONES = {ready: "good", reloading: "live", starting: "live"};

function Status() {
	const now = useSignal(state);
	const {status} = useSignal(gateway);
	if (status === "gone") return html`<span class="status-now bad"><i class="dot"></i>gateway gone</span>`;
	if (!now) return html`<span class="status-now"><i class="dot"></i>connecting</span>`;
	const tone = TONES[phase(now)] ?? "bad";
	const {took_ms: took, reloads} = now.application;
	return html`<a class="status-now ${tone}" href=${address("state")}><i class="dot"></i>${phase(now)}${tone === "good" && took ? html`<span class="faint"> · ${reloads ? "reloaded" : "started"} in ${span(took)}</span>` : null}</a>`;
}

function Side({current}) {
	return html`<nav class="side" aria-label="Views">
		${GROUPS.map(
			(names, index) => html`<ul key=${index}>
				${names.map(name => {
					const [title, letter] = VIEWS[name];
					return html`<li key=${name}><a href=${address(name)} aria-current=${name === current ? "page" : null} title="${title} (g ${letter})"><${Icon} name=${name} /><span>${title}</span></a></li>`;
				})}
			</ul>`,
		)}
	</nav>`;
}

function Banner() {
	const now = useSignal(state);
	const {status, next} = useSignal(gateway);
	if (status === "gone") return html`<${GoneBanner} next=${next} />`;
	if (!now) return null;
	const name = phase(now);
	if (name === "reloading" || name === "starting") return html`<div class="banner live" role="status"><${Icon} name="running" /> <strong>The application is ${name === "starting" ? "starting" : "reloading"}.</strong> <span>Calls wait until it is ready.</span></div>`;
	if (name !== "broken") return null;
	const error = problem(now);
	return html`<div class="banner bad" role="alert">
		<p><${Icon} name="warning" /> <strong>The application cannot be imported.</strong> <span>It is tried again when a file is saved.</span></p>
		${error && html`<${Traceback} error=${error} />`}
	</div>`;
}

function GoneBanner({next}) {
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
	return html`<div class="note" role="status" aria-live="polite">${now && html`<p>${now}</p>`}</div>`;
}

function Help({close}) {
	const on = useSignal(letters);
	return html`<${Dialog} title="Keys" close=${close} wide>
		<div class="keys">
			${[...SHORTCUTS, ["Go to", Object.values(VIEWS).map(([title, letter]) => [`g ${letter}`, title.toLowerCase()])]].map(
				([title, keys]) => html`<section key=${title}>
					<h3>${title}</h3>
					<dl>${keys.map(([key, what]) => html`<div key=${key}><dt>${key.split(", ").map(one => html`<kbd key=${one}>${one}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
				</section>`,
			)}
		</div>
		<label class="check"><input type="checkbox" checked=${on} onChange=${event => (letters.value = event.currentTarget.checked)} /> Single letters do something. Turn it off when you dictate.</label>
	<//>`;
}

const NotFound = () => html`<div class="page"><${Heading} title="There is no such view." /></div>`;

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${Boundary} name="console"><${App} /><//>`, root);
followState();
connect();
