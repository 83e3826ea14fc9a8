// A dialog of the browser's own: it keeps the focus within, and Escape closes it.
import {html, useEffect, useRef} from "../lib/index.js";
import {Button} from "./bits.js";

export function Dialog({title, close, children, wide = false, foot = null}) {
	const held = useRef(null);
	useEffect(() => {
		const before = document.activeElement;
		held.current.showModal();
		return () => before?.focus?.({preventScroll: true});
	}, []);
	return html`<dialog ref=${held} class=${wide ? "wide" : null} aria-labelledby="dialog-title" onClose=${close} onClick=${event => event.target === held.current && held.current.close()}>
		<div class="dialog-box">
			<header><h2 id="dialog-title">${title}</h2><${Button} icon="failed" label="Close" hideLabel onClick=${() => held.current.close()} /></header>
			<div class="dialog-body">${children}</div>
			${foot && html`<footer>${foot}</footer>`}
		</div>
	</dialog>`;
}
