// A value that views follow.
import {useLayoutEffect, useState} from "./dom.js";

export class Signal {
	#value;
	#followers = new Set();

	constructor(value) {
		this.#value = value;
	}
	get value() {
		return this.#value;
	}
	set value(value) {
		if (value === this.#value) return;
		this.#value = value;
		for (const follower of [...this.#followers]) follower(value);
	}
	follow(follower) {
		this.#followers.add(follower);
		return () => this.#followers.delete(follower);
	}
}

export function useSignal(signal) {
	const [, draw] = useState({});
	useLayoutEffect(() => {
		draw({});
		return signal.follow(() => draw({}));
	}, [signal]);
	return signal.value;
}

/** A signal that outlives the page, as far as the browser allows it. */
export function kept(key, fallback) {
	let value = fallback;
	try {
		value = JSON.parse(localStorage.getItem(`junction.${key}`)) ?? fallback;
	} catch {
		// A browser that keeps nothing, or something that another version wrote.
	}
	const signal = new Signal(value);
	signal.follow(now => {
		try {
			localStorage.setItem(`junction.${key}`, JSON.stringify(now));
		} catch {
			// As above.
		}
	});
	return signal;
}
