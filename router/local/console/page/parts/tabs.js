// Tabs, as the authoring practices of ARIA have them: arrows move, and one is in the order of tabs.
import {html} from "../lib/index.js";

export function Tabs({tabs, current, choose, label}) {
	const move = event => {
		const at = tabs.findIndex(([name]) => name === current);
		const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
		const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : step ? (at + step + tabs.length) % tabs.length : -1;
		if (to < 0) return;
		event.preventDefault();
		event.stopPropagation();
		choose(tabs[to][0]);
		event.currentTarget.children[to]?.focus();
	};
	return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
		${tabs.map(
			([name, title, note]) => html`<button
				type="button"
				key=${name}
				role="tab"
				id="tab-${name}"
				aria-selected=${name === current}
				aria-controls="panel"
				tabindex=${name === current ? 0 : -1}
				onClick=${() => choose(name)}
			>
				${title}${note ? html`<span class="tab-note">${note}</span>` : null}
			</button>`,
		)}
	</div>`;
}
