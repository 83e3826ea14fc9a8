// Send: a sample of every source, with its options, to be changed and sent.
import {address, get, html, id, place, pretty, report, search, state, useEffect, useMemo, useRef, useResource, useSignal, useState} from "../lib/index.js";
import {Button, check, Editor, Empty, Failed, Heading, Loading, Sent, Shown, SourceBadge, useSending} from "../parts/index.js";

export function Send() {
	const samples = useResource("samples");
	return html`<div class="page send">
		<${Heading} title="Send" note="A payload as AWS sends it, to your application." />
		<${Shown} of=${samples}>${data => html`<${Form} samples=${data.samples} />`}<//>
	</div>`;
}

const nameOf = sample => sample.source;

function Form({samples}) {
	const {rest, query} = useSignal(place);
	const used = new Set(useSignal(state)?.routes.flatMap(route => route.sources ?? [route.source]));
	const sorted = useMemo(() => [...samples].sort((one, other) => used.has(nameOf(other)) - used.has(nameOf(one))), [samples, used.size]);
	const chosen = samples.find(sample => nameOf(sample) === rest[0]) ?? sorted[0];
	if (!chosen) return html`<${Empty} title="There are no samples." />`;
	return html`<div class="send-grid">
		<nav class="sources" aria-label="Sources">
			<ul>${sorted.map(sample => html`<li key=${nameOf(sample)}><a href=${address("send", [nameOf(sample)])} aria-current=${sample === chosen ? "true" : null} class=${used.has(nameOf(sample)) ? null : "unused"} title=${used.has(nameOf(sample)) ? null : "No route takes it"}><${SourceBadge} entry=${{source: nameOf(sample)}} /></a></li>`)}</ul>
		</nav>
		<${One} key=${nameOf(chosen)} sample=${chosen} route=${query.get("route")} />
	</div>`;
}

/** What of a route a sample can be made for. */
function preset(route, options) {
	if (!route) return {};
	const names = options.map(option => option.name);
	const verb = /^([A-Z]+)\s+(\/.*)$/.exec(route);
	if (verb) return {...(names.includes("method") && {method: verb[1]}), ...(names.includes("path") && {path: verb[2]})};
	const name = route.replace(/^\S+\s+/, "");
	const key = ["name", "queue", "topic", "table", "bucket", "action", "route_key", "detail_type", "stream"].find(one => names.includes(one));
	return key ? {[key]: name} : {};
}

function One({sample, route}) {
	const name = nameOf(sample);
	const {options} = sample;
	const [values, setValues] = useState(() => preset(route, options));
	const [text, put] = useState(null);
	const [failure, fail] = useState(null);
	const {answer, busy, post} = useSending();
	const context = useRef(null);
	const key = JSON.stringify(values);
	useEffect(() => {
		const abort = new AbortController();
		const timer = setTimeout(
			async () => {
				try {
					const made = await get(`samples/${id(name)}${search(values)}`, {signal: abort.signal});
					put(pretty(made.raw));
					context.current = made.client_context;
					fail(null);
				} catch (error) {
					if (error.name === "AbortError") return;
					fail(error);
					if (error.status >= 500 || !error.status) report(error, `The sample of ${name}`);
				}
			},
			text === null ? 0 : 250,
		);
		return () => {
			clearTimeout(timer);
			abort.abort();
		};
	}, [name, key]);
	const {error} = check(text ?? "");
	const send = () => post("send", {text, ...(context.current && {client_context: context.current})});
	return html`<section class="send-form" aria-label="Payload">
			${options.length > 0 &&
			html`<fieldset class="options"><legend>Options</legend>
				${options.map(
					option => html`<label key=${option.name}><span>${option.name}</span><input value=${values[option.name] ?? ""} placeholder=${option.default == null ? "" : typeof option.default === "string" ? option.default : JSON.stringify(option.default)} spellcheck="false" autocomplete="off" onInput=${event => setValues({...values, [option.name]: event.currentTarget.value})} /></label>`,
				)}
			</fieldset>`}
			${failure && html`<${Failed} error=${failure} />`}
			${text === null && !failure ? html`<${Loading} of="Making a sample" />` : text !== null && html`<${Editor} text=${text} change=${put} label="Payload as JSON" send=${send} rows=${22} />`}
			<p><${Button} icon="send" label=${busy ? "Sending" : "Send"} primary small=${false} disabled=${busy || text === null || error !== null} onClick=${send} /></p>
		</section>
		<section class="answer-side" aria-label="Answer">
			<h2 class="section">Answer</h2>
			${answer ? html`<${Sent} answer=${answer} />` : html`<${Empty} title="Nothing was sent yet." />`}
		</section>`;
}
