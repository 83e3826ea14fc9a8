// Executions: durable ones, with their steps on one line of time, and what they wait for.
import {act, address, ago, clock, html, id, place, span, useResource, useSignal, useState} from "../lib/index.js";
import {Button, check, Columns, Empty, Facts, Heading, Icon, Json, Outcome, Shown, Text, toneOf} from "../parts/index.js";

const OUTCOMES = {SUCCEEDED: "done", FAILED: "failed", RUNNING: "running", STARTED: "running", PENDING: "running", READY: "running", TIMED_OUT: "timed out", STOPPED: "discarded", CANCELLED: "discarded"};

const State = ({of}) => html`<${Outcome} outcome=${OUTCOMES[of] ?? "running"} label=${of.toLowerCase().replace("_", " ")} />`;

export function Executions() {
	const {rest} = useSignal(place);
	const executions = useResource("executions", {follow: "entries"});
	return html`<div class="page">
		<${Heading} title="Executions" note="Durable functions: each step is done once, whatever fails in between." />
		<${Shown} of=${executions}>${data => html`<${Table} executions=${data.executions} chosen=${rest[0]} />`}<//>
		${rest[0] && html`<${One} key=${rest[0]} execution=${rest[0]} />`}
	</div>`;
}

function Table({executions, chosen}) {
	if (!executions.length) return html`<${Empty} title="No durable execution has begun." />`;
	return html`<table class="table">
		<${Columns} of=${["Execution", "Status", ">Took", ">Began"]} />
		<tbody>${executions.map(one => html`<tr key=${one.id} class=${one.id === chosen ? "current" : null}>
			<td><a class="cell-link" href=${address("executions", [one.id])}><${Text} of=${one.name ?? one.id} most=${100} /></a></td>
			<td><${State} of=${one.status} />${one.waits_for && html` <span class="faint">waits for ${one.waits_for === "time" ? "a time" : `a${one.waits_for === "invoke" ? "n" : ""} ${one.waits_for}`}</span>`}</td>
			<td class="number right">${one.ended && one.started ? span((one.ended - one.started) * 1000) : html`<span class="faint">–</span>`}</td>
			<td class="number right faint">${one.started ? ago(one.started) : ""}</td>
		</tr>`)}</tbody>
	</table>`;
}

function One({execution}) {
	const resource = useResource(`executions/${id(execution)}`, {follow: "entries"});
	const skip = () => act(["POST", `executions/${id(execution)}/skip`, {}], "The wait is over.", "Skipping the wait", resource.reload);
	return html`<section aria-label="Execution">
		<${Shown} of=${resource} empty=${html`<${Empty} title="There is no such execution." />`}>
			${one => html`<div class="heading"><div><h2><${Text} of=${one.name ?? one.id} most=${100} /></h2></div><div class="heading-tools">${one.waits_for === "time" && html`<${Button} icon="clock" label="Skip the wait" onClick=${skip} />`}</div></div>
				<${Facts} of=${[["Status", html`<${State} of=${one.status} />`], ["Waits for", one.waits_for], ["Began", clock(one.started)], ["Id", one.id]]} />
				<h3 class="section">Steps</h3>
				<${Steps} steps=${one.steps} from=${one.started} to=${one.ended ?? Date.now() / 1000} execution=${execution} reload=${resource.reload} />
				${["result", "error", "input"].filter(name => one[name] != null).map(name => html`<h3 key=${name} class="section">${name[0].toUpperCase() + name.slice(1)}</h3><${Json} key=${`${name}-json`} value=${one[name]} label=${name} />`)}`}
		<//>
	</section>`;
}

function Steps({steps, from, to, execution, reload}) {
	if (!steps.length) return html`<${Empty} title="No step has begun." />`;
	const length = Math.max(0.001, to - from);
	const known = new Map(steps.map(step => [step.id, step]));
	const depth = step => (known.has(step.parent) && step.parent !== step.id ? 1 + depth(known.get(step.parent)) : 0);
	const place_ = at => `${Math.max(0, Math.min(100, ((at - from) / length) * 100)).toFixed(2)}%`;
	return html`<ol class="steps">
		${steps.map(step => {
			const end = step.ended ?? to;
			const tone = toneOf(OUTCOMES[step.status]);
			const waits = step.kind === "wait" || step.kind === "callback";
			const tries = step.attempts.length;
			return html`<li key=${step.id}>
				<div class="step-line">
					<span class="step-name" style=${{paddingLeft: `${Math.min(8, depth(step)) * 14}px`}}><${Text} of=${step.name ?? step.kind} most=${60} /> <span class="faint">${step.kind}</span>${tries > 1 && html` <span class="tag warn"><${Icon} name="retry" />${tries} tries</span>`}</span>
					<span class="lane">${step.started && html`<span class="bar ${waits ? "waited" : `ran ${tone}`}" style=${{left: place_(step.started), width: `max(3px, calc(${place_(end)} - ${place_(step.started)}))`}}></span>`}</span>
					<span class="number right">${step.started ? span((end - step.started) * 1000) : ""}</span>
					<${State} of=${step.status} />
				</div>
				${step.callback_id && !step.ended && html`<${Callback} execution=${execution} callback=${step.callback_id} reload=${reload} />`}
				${step.result != null || step.error ? html`<details><summary>${step.error ? "Error" : "Result"}</summary><${Json} value=${step.error ?? step.result} label="Result of the step" /></details>` : null}
			</li>`;
		})}
	</ol>`;
}

function Callback({execution, callback, reload}) {
	const [text, put] = useState("{}");
	const {value, error} = check(text);
	const answer = body => act(["POST", `executions/${id(execution)}/callbacks/${id(callback)}`, body], "The callback is answered.", "Answering the callback", reload);
	return html`<div class="callback" role="group" aria-label="Callback">
		<label><span>It waits for this callback. Answer as JSON, or as text for an error:</span><textarea rows="2" spellcheck="false" value=${text} onInput=${event => put(event.currentTarget.value)}></textarea></label>
		${error && html`<p class="faint">Not JSON: line ${error.line}, column ${error.column}: ${error.message}.</p>`}
		<${Button} icon="done" label="Succeed" primary disabled=${error !== null} onClick=${() => answer({result: value})} />
		<${Button} icon="failed" label="Fail" danger onClick=${() => answer({error: text})} />
	</div>`;
}
