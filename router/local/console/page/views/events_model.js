// The list of events behind the rows: pages are read as they are scrolled to, and what is new stands above them.
//
// Rows are counted from the newest one at the time of reading (`bound`), so that later ones shift no page. What is new
// waits until the view says that it may be shown.
import {get, number, search, title} from "../lib/index.js";

const PAGE = 200;
const MOST_PAGES = 50;
const MOST_READS = 2;
const MOST_FRESH = 2000;
const CHECK_MS = 300;

export const FILTERS = ["source", "route", "tenant", "outcome", "kind", "q", "correlation_id", "bookmarked"];

export class EventList {
	total = 0;
	fresh = [];
	waiting = [];
	following = true;
	error = null;
	ready = false;

	#changed;
	#filters = {};
	#pages = new Map();
	#known = new Map();
	#underway = new Set();
	#wanted = [0, -1];
	#generation = 0;
	#bound = null;
	#timer = null;

	constructor(changed) {
		this.#changed = changed;
	}

	get length() {
		return this.fresh.length + this.total;
	}

	get filtered() {
		return Object.keys(this.#filters).length > 0;
	}

	/** Reads the list anew. What is shown stays until the answer is here. */
	async read(filters = this.#filters) {
		this.#filters = filters;
		const generation = ++this.#generation;
		try {
			const answer = await get(`events${search({...filters, limit: PAGE})}`);
			if (generation !== this.#generation) return;
			this.#forget();
			const events = answer.entries;
			this.total = answer.total;
			this.#bound = events.length ? number(events[0].id) + 1 : null;
			this.#put(0, events);
			this.error = null;
			this.ready = true;
		} catch (error) {
			if (generation !== this.#generation) return;
			this.error = error;
			this.ready = true;
			throw error;
		} finally {
			if (generation === this.#generation) this.#changed();
		}
	}

	#forget() {
		this.#underway.clear();
		this.#wanted = [0, -1];
		this.#pages.clear();
		this.#known.clear();
		this.fresh = [];
		this.waiting = [];
	}

	#put(page, events) {
		this.#pages.delete(page);
		this.#pages.set(page, events);
		for (const entry of events) this.#known.set(entry.id, {page});
		if (this.#pages.size <= MOST_PAGES) return;
		const [oldest, dropped] = this.#pages.entries().next().value;
		this.#pages.delete(oldest);
		for (const entry of dropped) this.#known.delete(entry.id);
	}

	/** Returns the entry of a row, or undefined while its page is on its way. */
	at(row) {
		if (row < this.fresh.length) return this.fresh[row];
		const place = row - this.fresh.length;
		return this.#pages.get(Math.floor(place / PAGE))?.[place % PAGE];
	}

	/** Returns the row of an entry that is here, or -1. */
	rowOf(id) {
		const found = this.#known.get(id);
		if (!found) return -1;
		if (found.page === undefined) return this.fresh.findIndex(entry => entry.id === id);
		const place = this.#pages.get(found.page)?.findIndex(entry => entry.id === id) ?? -1;
		return place < 0 ? -1 : this.fresh.length + found.page * PAGE + place;
	}

	/** Reads the pages that rows are on, two at a time: a fast scroll asks for its last place only. */
	need(first, last) {
		if (this.#bound === null) return;
		const from = Math.max(0, Math.floor((first - this.fresh.length) / PAGE));
		const to = Math.floor((Math.min(last, this.length - 1) - this.fresh.length) / PAGE);
		this.#wanted = [from, to];
		this.#pump();
	}

	#pump() {
		for (let [page, to] = this.#wanted; page <= to && this.#underway.size < MOST_READS; page += 1) {
			if (!this.#pages.has(page) && !this.#underway.has(page)) this.#fetch(page);
		}
	}

	async #fetch(page) {
		const generation = this.#generation;
		this.#underway.add(page);
		try {
			const asked = {...this.#filters, before: `e${this.#bound}`, offset: page * PAGE, limit: PAGE};
			const answer = await get(`events${search(asked)}`);
			if (generation !== this.#generation) return;
			this.#put(page, answer.entries);
			this.error = null;
		} catch (error) {
			if (generation !== this.#generation) return;
			this.error = error;
			// Asked for again by the next scroll, not at once.
			this.#wanted = [0, -1];
		} finally {
			if (generation === this.#generation) {
				this.#underway.delete(page);
				this.#pump();
			}
		}
		this.#changed();
	}

	/** Takes entries of the live stream: known ones are replaced, new ones go on top or wait. */
	take(entries) {
		let changed = false;
		const others = [];
		for (const entry of entries) {
			if (this.#known.has(entry.id)) changed = this.#replace(entry) || changed;
			else if (this.#bound === null || number(entry.id) >= this.#bound || this.filtered) others.push(entry);
		}
		// What a search finds is for the gateway to say: it looks into the payloads, too.
		if (others.length && this.#filters.q) this.#checkSoon();
		else changed = this.#add(others.filter(entry => this.#fits(entry))) || changed;
		if (changed) this.#changed();
	}

	#replace(entry) {
		const {page} = this.#known.get(entry.id);
		for (const list of page === undefined ? [this.fresh, this.waiting] : [this.#pages.get(page) ?? []]) {
			const place = list.findIndex(other => other.id === entry.id);
			if (place >= 0) list[place] = entry;
		}
		return true;
	}

	#fits(entry) {
		return Object.entries(this.#filters).every(([name, wanted]) => {
			if (name === "bookmarked") return Boolean(entry.bookmarked);
			if (name === "route") return title(entry) === wanted || entry.route === wanted;
			return String(entry[name] ?? "") === wanted;
		});
	}

	#add(entries) {
		const news = entries.filter(entry => !this.#known.has(entry.id));
		if (!news.length) return false;
		for (const entry of news) this.#known.set(entry.id, {});
		const list = [...news, ...this.waiting].sort((one, other) => number(other.id) - number(one.id));
		this.waiting = list;
		if (this.following) this.show();
		return true;
	}

	/** Shows what waits. */
	show() {
		this.fresh = [...this.waiting, ...this.fresh];
		this.waiting = [];
		if (this.fresh.length > MOST_FRESH) this.read().catch(() => {});
	}

	#checkSoon() {
		if (this.#timer) return;
		const generation = this.#generation;
		this.#timer = setTimeout(async () => {
			this.#timer = null;
			try {
				const answer = await get(`events${search({...this.#filters, limit: 100})}`);
				if (generation !== this.#generation) return;
				if (this.#add(answer.entries.filter(entry => !this.#known.has(entry.id)))) this.#changed();
			} catch (error) {
				this.error = error;
				this.#changed();
			}
		}, CHECK_MS);
	}
}
