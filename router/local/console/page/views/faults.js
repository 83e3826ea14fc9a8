// Faults: rules by which calls and deliveries fail on purpose.
import {call, count, html, kept, plain, report, say, useResource, useSignal, useState} from "../lib/index.js";
import {Button, Columns, Dialog, Empty, Heading, Shown, Text} from "../parts/index.js";

const KINDS = {
	latency: "Calls take longer.",
	throttle: "Calls are refused, as too many.",
	fail: "Calls fail.",
	"lost answer": "The call is made, its answer is lost.",
	duplicate: "An event is delivered twice.",
	reorder: "Records change places.",
	kill: "The process is ended under way.",
};

export function Faults() {
	const faults = useResource("faults", {follow: "entries"});
	return html`<div class="page"><${Shown} of=${faults}>${data => html`<${Rules} rules=${data.rules} reload=${faults.reload} />`}<//></div>`;
}

const NEW = {kind: "latency", probability: 0.2, service: "", operation: "", route: "", ms: 500, times: null};

/** Rules that are turned off: the gateway knows those alone that are on. */
const off = kept("faults.off", []);

function Rules({rules, reload}) {
	const [edited, edit] = useState(null);
	const all = useSignal(off);
	const asleep = all.filter(one => !rules.some(rule => rule.id === one.id));
	const put = async (next, said) => {
		try {
			await call("PUT", "faults", next.map(({hits: _, ...rule}) => rule));
			say(said);
			edit(null);
			return null;
		} catch (error) {
			if (!error.status || error.status >= 500) report(error, "The fault rules");
			return error;
		} finally {
			reload();
		}
	};
	const sleep = async rule => {
		if (!(await put(rules.filter(one => one !== rule), "The rule is off."))) off.value = [...asleep, rule];
	};
	const wake = async rule => {
		if (!(await put([...rules, rule], "The rule is on."))) forget(rule);
	};
	const forget = rule => (off.value = asleep.filter(one => one !== rule));
	const save = rule => (edited.rule === NEW ? put([...rules, rule], "The rule is there.") : put(rules.map(one => (one === edited.rule ? rule : one)), "The rule is changed."));
	return html`<${Heading} title="Faults" note="What can go wrong in AWS, on purpose: see that nothing is lost."><${Button} icon="add" label="Add a rule" primary onClick=${() => edit({rule: NEW})} /><//>
		${rules.length + asleep.length === 0
			? html`<${Empty} title="There is no rule: nothing fails on purpose." />`
			: html`<table class="table">
					<${Columns} of=${["Kind", ">Probability", "Service and operation", "Route", ">Times", ">Hits", ""]} />
					<tbody>${[...rules.map(rule => [rule, true]), ...asleep.map(rule => [rule, false])].map(([rule, on]) => html`<tr key=${`${rule.id} ${on}`} class=${on ? null : "off"} aria-label=${plain(rule.kind)}>
						<td><strong>${plain(rule.kind)}</strong>${rule.kind === "latency" ? html` <span class="number faint">${rule.ms} ms</span>` : null}${!on && html` <span class="tag">off</span>`}</td>
						<td class="number right">${Math.round(rule.probability * 1000) / 10} %</td>
						<td class="mono"><${Text} of=${`${rule.service || "*"}:${rule.operation || "*"}`} most=${100} /></td>
						<td class="mono"><${Text} of=${rule.route || "*"} most=${100} /></td>
						<td class="number right">${rule.times == null ? "for ever" : count(rule.times)}</td>
						<td class="number right"><strong>${count(rule.hits ?? 0)}</strong></td>
						<td class="right row-tools">
							<${Button} label=${on ? "Turn off" : "Turn on"} onClick=${() => (on ? sleep(rule) : wake(rule))} />
							${on && html`<${Button} icon="edit" label="Edit" hideLabel onClick=${() => edit({rule})} />`}
							<${Button} icon="failed" label="Remove" hideLabel onClick=${() => (on ? put(rules.filter(one => one !== rule), "The rule is gone.") : forget(rule))} />
						</td>
					</tr>`)}</tbody>
				</table>`}
		${edited && html`<${RuleDialog} rule=${edited.rule} isNew=${edited.rule === NEW} save=${save} close=${() => edit(null)} />`}`;
}

function RuleDialog({rule, isNew, save, close}) {
	const [values, set] = useState({...rule, times: rule.times ?? ""});
	const [error, fail] = useState(null);
	const change = name => event => set({...values, [name]: event.currentTarget.value});
	const submit = async event => {
		event.preventDefault();
		const made = {...values, probability: Number(values.probability), times: values.times === "" ? null : Number(values.times)};
		if (values.kind === "latency") made.ms = Number(values.ms);
		else delete made.ms;
		const failure = await save(made);
		if (failure) fail(failure);
	};
	const field = (name, label, note, more = {}) => html`<label class="field"><span>${label}</span><input value=${values[name] ?? ""} spellcheck="false" autocomplete="off" onInput=${change(name)} ...${more} /><small>${note}</small></label>`;
	return html`<${Dialog} title=${isNew ? "Add a rule" : "Change the rule"} close=${close}>
		<form id="rule" class="form" onSubmit=${submit}>
			<label class="field"><span>Kind</span><select value=${values.kind} onChange=${change("kind")}>${Object.keys(KINDS).map(kind => html`<option key=${kind} value=${kind}>${kind}</option>`)}</select><small>${KINDS[values.kind]}</small></label>
			${field("probability", "Probability", "from 0 to 1", {type: "number", min: 0, max: 1, step: "any", required: true})}
			${values.kind === "latency" && field("ms", "Milliseconds", "by which a call takes longer", {type: "number", min: 0, required: true})}
			${field("service", "Service", "a pattern, such as sqs or dynamo*; empty is every one")}
			${field("operation", "Operation", "a pattern, such as SendMessage or Put*")}
			${field("route", "Route", "a pattern, such as POST /orders")}
			${field("times", "Times", "how often at most; empty is for ever", {type: "number", min: 1})}
			${error && html`<p class="form-error" role="alert">${plain(error.message)}</p>`}
			<p class="form-end"><button type="submit" class="button primary">${isNew ? "Add" : "Change"}</button></p>
		</form>
	<//>`;
}
