// An error with its steps: the application's own lines are open, those of libraries are folded.
import {html, plain, plural, useState} from "../lib/index.js";
import {CopyButton, Text} from "./bits.js";

function groups(frames) {
	const made = [];
	for (const frame of frames) {
		if (!frame.own && made.at(-1)?.library) made.at(-1).frames.push(frame);
		else made.push({library: !frame.own, frames: [frame]});
	}
	return made;
}

function Frame({frame}) {
	const source = frame.source ?? [];
	return html`<div class=${frame.own ? "frame own" : "frame"}>
		<p class="frame-head"><span class="file"><${Text} of=${frame.file} />:${frame.line}</span> <span class="faint">in</span> <span class="function"><${Text} of=${frame.function} /></span></p>
		${source.length > 0 &&
		html`<pre class="source-lines" tabindex="0" aria-label="Source of ${plain(frame.file)}, line ${frame.line}">${source.map(
			([number, text], index) => html`<span key=${number} class=${index === frame.current ? "line current" : "line"}><span class="line-number">${index === frame.current ? "▸" : " "}${String(number).padStart(4)}</span> <${Text} of=${text} most=${500} />${"\n"}</span>`,
		)}</pre>`}
	</div>`;
}

function Library({frames}) {
	const [open, setOpen] = useState(false);
	return html`<div class="library">
		<button type="button" class="fold-line" aria-expanded=${open} onClick=${() => setOpen(!open)}>${plural(frames.length, "step")} in libraries</button>
		${open && frames.map((frame, index) => html`<${Frame} key=${index} frame=${frame} />`)}
	</div>`;
}

export function asText(error) {
	const lines = error.cause ? [asText(error.cause), "", "The above exception was the direct cause of the following exception:", ""] : [];
	lines.push("Traceback (most recent call last):");
	for (const frame of error.frames ?? []) {
		lines.push(`  File "${frame.file}", line ${frame.line}, in ${frame.function}`);
		const current = frame.source?.[frame.current];
		if (current) lines.push(`    ${current[1].trim()}`);
	}
	lines.push(`${error.type}: ${error.message}`, ...(error.notes ?? []));
	return lines.join("\n");
}

export function Traceback({error, cause = false}) {
	return html`<section class="traceback" aria-label=${cause ? "Cause" : "Error"}>
		<div class="error-head">
			<div>
				${cause && html`<p class="faint">Caused by</p>`}
				<h3><${Text} of=${error.type} /></h3>
				<p class="error-message"><${Text} of=${error.message} most=${4000} /></p>
				${(error.notes ?? []).map((note, index) => html`<p key=${index} class="error-note"><${Text} of=${note} most=${1000} /></p>`)}
			</div>
			${!cause && html`<${CopyButton} text=${() => asText(error)} name="Traceback copied" />`}
		</div>
		${groups(error.frames ?? []).map((group, index) => (group.library ? html`<${Library} key=${index} frames=${group.frames} />` : html`<${Frame} key=${index} frame=${group.frames[0]} />`))}
		${error.cause && html`<${Traceback} error=${error.cause} cause />`}
	</section>`;
}
