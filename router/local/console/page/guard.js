// Runs before everything else, as a plain script: sets the theme before the first paint, and shows every failure of
// the page in a strip that needs none of the page's own modules. A page that cannot draw says why.
(() => {
  "use strict";
  const MOST = 20;
  const root = document.documentElement;

  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const theme = stored("junction.theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;

  const troubles = new Map();

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function draw() {
    const strip = document.getElementById("troubles");
    if (!strip) return;
    strip.hidden = troubles.size === 0;
    strip.replaceChildren(...[...troubles.values()].map(drawOne));
  }

  function drawOne(trouble) {
    const times = trouble.times > 1 ? ` (${trouble.times} times)` : "";
    const dismiss = element("button", { type: "button", className: "button small", textContent: "Dismiss" });
    dismiss.addEventListener("click", () => {
      troubles.delete(trouble.title);
      draw();
    });
    const details = element("details", {}, element("summary", { textContent: "Details" }));
    details.append(element("pre", { textContent: trouble.detail || "There are no details.", tabIndex: 0 }));
    const title = element("strong", { textContent: `${trouble.title}${times}` });
    const made = element("div", { className: "trouble" }, title, details, dismiss);
    made.setAttribute("role", "alert");
    return made;
  }

  // Shows one failure. The same one again is counted, so that a loop cannot fill the page.
  window.junctionTrouble = (title, detail) => {
    const text = String(title).slice(0, 500);
    const known = troubles.get(text);
    if (known) {
      known.times += 1;
      if (known.times > 50) return;
    } else {
      if (troubles.size >= MOST) troubles.delete(troubles.keys().next().value);
      troubles.set(text, { title: text, detail: String(detail ?? "").slice(0, 20000), times: 1 });
    }
    draw();
  };
  window.junctionTroubleOver = (title) => troubles.delete(title) && draw();

  addEventListener(
    "error",
    (event) => {
      if (event.target && event.target !== window) {
        const address = event.target.src || event.target.href;
        if (address) window.junctionTrouble(`This file of the page could not be loaded: ${address}`, "Is the gateway running?");
        return;
      }
      // Chromium's note about a layout that took two rounds; nothing is lost by it.
      if (String(event.message).startsWith("ResizeObserver loop")) return;
      window.junctionTrouble(`The page failed: ${event.message}`, event.error?.stack ?? `${event.filename}:${event.lineno}`);
    },
    true,
  );
  addEventListener("unhandledrejection", (event) => {
    window.junctionTrouble(`The page failed: ${event.reason?.message ?? event.reason}`, event.reason?.stack);
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    window.junctionTrouble(`The page tried what its policy forbids: ${event.violatedDirective}`, event.blockedURI);
  });
  document.addEventListener("DOMContentLoaded", draw);
})();
