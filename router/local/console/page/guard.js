// Runs before everything else, as a plain script: sets the theme before the first paint, and shows every failure of
// the page in a strip that needs none of the page's modules. A page that cannot draw says why.
(() => {
	"use strict";
	const MOST = 20;
	const troubles = new Map();

	try {
		const theme = JSON.parse(localStorage.getItem("junction.theme"));
		if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
	} catch {
		// A browser that keeps nothing: the theme is that of the system.
	}

	function element(name, properties, ...children) {
		const made = Object.assign(document.createElement(name), properties);
		made.append(...children);
		return made;
	}

	function draw() {
		const strip = document.getElementById("troubles");
		if (!strip) return;
		strip.hidden = !troubles.size;
		strip.replaceChildren(...[...troubles].map(drawOne));
	}

	function drawOne([title, {detail, times}]) {
		const onclick = () => troubles.delete(title) && draw();
		return element(
			"div",
			{className: "trouble", role: "alert"},
			element("strong", {textContent: times > 1 ? `${title} (${times} times)` : title}),
			element("details", {}, element("summary", {textContent: "Details"}), element("pre", {textContent: detail, tabIndex: 0})),
			element("button", {type: "button", className: "button small", textContent: "Dismiss", onclick}),
		);
	}

	// Shows one failure. The same one again is counted, so that a loop cannot fill the page.
	window.junctionTrouble = (title, detail = "There are no details.") => {
		const text = String(title).slice(0, 500);
		const times = (troubles.get(text)?.times ?? 0) + 1;
		if (times > 50) return;
		troubles.set(text, {detail: String(detail).slice(0, 20000), times});
		if (troubles.size > MOST) troubles.delete(troubles.keys().next().value);
		draw();
	};

	const listen = (target, name, told) => target.addEventListener(name, event => junctionTrouble(...told(event)));
	addEventListener("error", event => {
		const {target, message, error, filename, lineno} = event;
		if (target !== window) junctionTrouble(`This file of the page could not be loaded: ${target.src || target.href}`, "Is the gateway running?");
		// Chromium's note about a layout that took two rounds; nothing is lost by it.
		else if (!message.startsWith("ResizeObserver loop")) junctionTrouble(`The page failed: ${message}`, error?.stack ?? `${filename}:${lineno}`);
	}, true);
	listen(window, "unhandledrejection", ({reason}) => [`The page failed: ${reason?.message ?? reason}`, reason?.stack]);
	listen(document, "securitypolicyviolation", event => [`The page tried what its policy forbids: ${event.violatedDirective}`, event.blockedURI]);
	document.addEventListener("DOMContentLoaded", draw);
})();
