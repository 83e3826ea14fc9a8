// What every view needs of Preact, from one place.
import {Component, h, render} from "../vendor/preact.mjs";
import htm from "../vendor/htm.mjs";

export * from "../vendor/hooks.mjs";
export {render};

export const html = htm.bind(h);

/** Draws `view` again only when one of its properties is another object. */
export function memo(view) {
	return class extends Component {
		shouldComponentUpdate(next) {
			for (const key in next) if (next[key] !== this.props[key]) return true;
			for (const key in this.props) if (!(key in next)) return true;
			return false;
		}
		render(properties) {
			return view(properties);
		}
	};
}

export const classes = (...names) => names.filter(Boolean).join(" ");
