// The parts of which views are made, by one name.
export * from "./actions.js";
export * from "./bits.js";
export * from "./dialog.js";
export * from "./editor.js";
export * from "./icons.js";
export * from "./json.js";
export * from "./resend.js";
export * from "./rows.js";
export * from "./tabs.js";
export * from "./traceback.js";
