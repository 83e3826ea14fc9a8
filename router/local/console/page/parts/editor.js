// A field for JSON that says where a mistake is.
import {html, mistake, parse, useMemo, useRef} from "../lib/index.js";

/** Returns {value, error} of a text that should be JSON. */
export function check(text) {
	try {
		return {value: parse(text), error: null};
	} catch (caught) {
		return {value: undefined, error: mistake(text) ?? {message: caught.message, line: 1, column: 1, at: 0}};
	}
}

export function Editor({text, change, label, send, rows = 18}) {
	const field = useRef(null);
	const gutter = useRef(null);
	const {error} = useMemo(() => check(text), [text]);
	const lines = useMemo(() => text.split("\n").length, [text]);
	const show = () => {
		field.current.focus();
		field.current.setSelectionRange(error.at, Math.min(error.at + 1, text.length));
	};
	const keys = event => {
		if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
			event.preventDefault();
			if (!error) send?.();
		}
	};
	return html`<div class="editor">
		<div class="editor-box">
			<div class="gutter" ref=${gutter} aria-hidden="true">
				<div>${Array.from({length: Math.min(lines, 20_000)}, (_, index) => html`<span key=${index} class=${error?.line === index + 1 ? "wrong" : null}>${index + 1}</span>`)}</div>
			</div>
			<textarea
				ref=${field}
				rows=${rows}
				value=${text}
				spellcheck="false"
				autocapitalize="off"
				autocomplete="off"
				wrap="off"
				aria-label=${label}
				aria-invalid=${error ? "true" : null}
				aria-describedby="editor-says"
				onInput=${event => change(event.currentTarget.value)}
				onKeyDown=${keys}
				onScroll=${event => (gutter.current.scrollTop = event.currentTarget.scrollTop)}
			></textarea>
		</div>
		<p id="editor-says" class=${error ? "editor-error" : "editor-fine"} aria-live="polite">
			${error
				? html`<span>Line ${error.line}, column ${error.column}: ${error.message}.</span> <button type="button" class="more" onClick=${show}>Show the place</button>`
				: html`<span>Valid JSON.</span> <span class="faint">Ctrl+Enter sends.</span>`}
		</p>
	</div>`;
}
