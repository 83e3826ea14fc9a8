// Edit a payload and send it; the answer is shown beside it.
import {address, call, html, id, plain, pretty, report, say, span, title, useState} from "../lib/index.js";
import {Button, Outcome, Text} from "./bits.js";
import {Dialog} from "./dialog.js";
import {Editor, check} from "./editor.js";
import {Icon} from "./icons.js";
import {Json} from "./json.js";
import {Traceback} from "./traceback.js";

/** What became of a call that was sent from here. */
export function Sent({answer}) {
	const {outcome, status, entries = []} = answer;
	return html`<div class="sent">
		<p class="detail-sub"><${Outcome} outcome=${outcome} status=${status} />${answer.ms != null && html`<span class="number">${span(answer.ms)}</span>`}
			${entries.map(entry => html`<a key=${entry.id} class="button small" href=${address("events", [entry.id])}><${Icon} name="events" /><span>${entry.id}</span></a>`)}</p>
		${answer.error && (answer.error.frames ? html`<${Traceback} error=${answer.error} />` : html`<div class="failed-box"><p><strong>${plain(answer.error.errorType ?? "Error")}</strong> <${Text} of=${answer.error.errorMessage ?? answer.error} most=${4000} /></p></div>`)}
		${answer.answer != null && html`<${Json} value=${answer.answer} label="Answer" />`}
	</div>`;
}

/** What sends, and what came of it. */
export function useSending() {
	const [answer, show] = useState(null);
	const [busy, setBusy] = useState(false);
	const post = async (path, body) => {
		setBusy(true);
		try {
			show(await call("POST", path, body));
			say("It was sent.");
		} catch (error) {
			show({outcome: "failed", error: {errorType: "It could not be sent", errorMessage: error.message}});
			if (!error.status) report(error, "Sending");
		} finally {
			setBusy(false);
		}
	};
	return {answer, busy, post};
}

export function EditDialog({entry, close}) {
	const [text, put] = useState(() => pretty(entry.payload ?? entry.raw));
	const {answer, busy, post} = useSending();
	const {error} = check(text);
	const send = () => post(`events/${id(entry.id)}/replay`, {text});
	return html`<${Dialog} title="Edit and send: ${plain(title(entry))}" close=${close} wide foot=${html`<${Button} icon="send" label=${busy ? "Sending" : "Send"} primary small=${false} disabled=${busy || error !== null} onClick=${send} />`}>
		<div class=${answer ? "beside" : null}>
			<${Editor} text=${text} change=${put} label="Payload as JSON" send=${send} rows=${24} />
			${answer && html`<section class="answer-side" aria-label="Answer"><${Sent} answer=${answer} /></section>`}
		</div>
	<//>`;
}
