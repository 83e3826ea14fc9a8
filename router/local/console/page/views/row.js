// One row of the list of events.
import {clock, delay, html, memo, plain, span, title} from "../lib/index.js";
import {Icon, Outcome, SourceBadge, Text} from "../parts/index.js";

export const HEAD = 30;

/** The route of an entry, with the verb of HTTP apart. */
export const RouteName = memo(({entry}) => {
	const text = title(entry);
	// The badge says the source already; others are the verb of HTTP, or a family such as `stream`.
	const verb = entry.route && entry.kind !== "push" && /^([A-Z]+|\*|[a-z][\w-]*) (.+)$/s.exec(text);
	if (!verb || verb[1] === entry.source) return html`<span class="route"><${Text} of=${verb ? verb[2] : text} most=${300} /></span>`;
	return html`<span class="route"><span class="verb">${verb[1]}</span> <${Text} of=${verb[2]} most=${300} /></span>`;
});

export const EventRow = memo(({entry, index, selected}) => {
	if (!entry) return html`<div class="row waiting" role="row" aria-rowindex=${index + 2}><span role="gridcell" class="faint">…</span></div>`;
	const waited = delay(entry);
	return html`<div class=${selected ? "row selected" : "row"} role="row" id="row-${entry.id}" data-id=${entry.id} aria-rowindex=${index + 2} aria-selected=${selected}>
		<span role="gridcell" class="c0 number">${clock(entry.started)}</span>
		<span role="gridcell" class="c1"><${SourceBadge} entry=${entry} /></span>
		<span role="gridcell" class="c2" title=${plain(title(entry)).slice(0, 300)}>
			${entry.bookmarked && html`<${Icon} name="bookmark" label="bookmarked" className="filled" />`}<${RouteName} entry=${entry} />${entry.records ? html` <span class="tag">${entry.records} records</span>` : null}${entry.fault ? html` <span class="tag warn"><${Icon} name="faults" />fault</span>` : null}${entry.replay_of ? html` <span class="tag">again</span>` : null}
		</span>
		<span role="gridcell" class="c3"><${Text} of=${entry.tenant} most=${60} /></span>
		<span role="gridcell" class="c4 number">${entry.attempt > 1 ? html`<span class="tag warn"><${Icon} name="retry" />${entry.attempt}</span>` : html`<span class="faint">${entry.attempt ?? ""}</span>`}</span>
		<span role="gridcell" class="c5 number">${waited === null ? "" : span(waited)}</span>
		<span role="gridcell" class="c6 number">${entry.ms == null ? "" : span(entry.ms)}</span>
		<span role="gridcell" class="c7"><${Outcome} outcome=${entry.outcome} status=${entry.status} /></span>
	</div>`;
});
