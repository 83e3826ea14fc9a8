// Everything that views and their parts need, by one name.
export * from "./dom.js";
export * from "./signal.js";
export * from "./exact.js";
export * from "./format.js";
export * from "./router.js";
export * from "./speak.js";
export * from "./live.js";
export * from "./api.js";
export * from "./act.js";
export * from "./state.js";
export * from "./keys.js";
