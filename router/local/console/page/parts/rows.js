// Rows of one height, of which only those that can be seen are in the document.
import {html, useCallback, useEffect, useKeys, useLayoutEffect, useRef, useState} from "../lib/index.js";

const MORE = 8;

/**
 * Returns what a view of many rows needs: `box` for the element that scrolls, [first, last] to be drawn, `reveal(row)`.
 * count: of all rows. height: of each, in pixels. head: of what sticks to the top.
 */
export function useRows({count, height, head = 0}) {
	const box = useRef(null);
	const [span, put] = useState([0, 40]);
	const measure = useCallback(() => {
		const element = box.current;
		if (!element) return;
		const first = Math.max(0, Math.floor(element.scrollTop / height) - MORE);
		const last = Math.ceil((element.scrollTop + element.clientHeight) / height) + MORE;
		put(before => (before[0] === first && before[1] === last ? before : [first, last]));
	}, [height]);
	useLayoutEffect(() => {
		const element = box.current;
		if (!element) return undefined;
		let asked = false;
		const scrolled = () => {
			if (asked) return;
			asked = true;
			requestAnimationFrame(() => {
				asked = false;
				measure();
			});
		};
		element.addEventListener("scroll", scrolled, {passive: true});
		const watcher = new ResizeObserver(scrolled);
		watcher.observe(element);
		measure();
		return () => {
			element.removeEventListener("scroll", scrolled);
			watcher.disconnect();
		};
	}, [measure]);
	useEffect(measure, [count]);
	const reveal = useCallback(
		row => {
			const element = box.current;
			if (!element) return;
			const top = row * height;
			const room = element.clientHeight - head;
			if (top < element.scrollTop) element.scrollTop = top;
			else if (top + height > element.scrollTop + room) element.scrollTop = top + height - room;
		},
		[height, head],
	);
	const page = () => Math.max(1, Math.floor(((box.current?.clientHeight ?? 400) - head) / height) - 1);
	return {box, first: Math.min(span[0], Math.max(0, count - 1)), last: Math.min(span[1], count), reveal, page};
}

/** Places the rows [first, last) where they belong within the height of all. */
export const Spread = ({count, height, first, children, ...rest}) => html`<div class="spread" role="presentation" style=${{height: `${count * height}px`}} ...${rest}>
	<div class="window" role="presentation" style=${{transform: `translateY(${first * height}px)`}}>${children}</div>
</div>`;

/** Keys to walk through rows: `at` is where one is, or -1; `to` goes to a row; `leave` ends it, `back` is the list. */
export function useWalk({at, count, page, to, isOpen, leave, back}) {
	const outside = action => event => (event.target.closest?.(".detail, .filters") ? false : action());
	const step = by => () => to(at < 0 ? 0 : at + by, by);
	useKeys({
		j: step(1),
		k: step(-1),
		ArrowDown: outside(step(1)),
		ArrowUp: outside(step(-1)),
		PageDown: outside(() => to(at + page())),
		PageUp: outside(() => to(at - page())),
		Home: outside(() => to(0)),
		End: outside(() => to(count - 1)),
		Enter: () => {
			if (!isOpen) to(Math.max(0, at));
			requestAnimationFrame(() => document.querySelector(".detail [role=tab][aria-selected=true]")?.focus());
		},
		Escape: () => {
			if (document.activeElement?.closest(".detail")) back.current.focus();
			else if (isOpen) leave();
			else return false;
			return true;
		},
	});
}
