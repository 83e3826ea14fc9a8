// Icons, drawn here: 16 by 16, in the colour of the text.
import {html} from "../lib/index.js";

const PATHS = {
	events: "M2.5 4h11M2.5 8h11M2.5 12h7",
	trace: "M2.5 3.5h6M5 8h6M8.5 12.5h5",
	routes: "M3.5 2.5v11M3.5 5h5.5a3 3 0 0 1 3 3v1M9.8 7.2 12 9.4l2.2-2.2",
	send: "M2.5 8h9M8 4l4 4-4 4M14 3v10",
	queues: "M2.5 4.5h11v7h-11zM6.2 4.5v7M9.8 4.5v7",
	connections: "M5 6.5 2.5 9 5 11.5M11 4.5 13.5 7 11 9.5M2.5 9h8M13.5 7h-8",
	executions: "M8 2.5a5.5 5.5 0 1 1-5.2 3.7M2.5 2.8v3.5H6M8 5v3.2l2.2 1.4",
	faults: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
	permissions: "M8 1.8 13 3.6v4c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6v-4zM5.8 8l1.6 1.6 2.9-3.1",
	state: "M2 8h2.5l2-5 3 10 2-5H14",
	http: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM2 8h12M8 2c2 1.8 2.6 3.8 2.6 6S10 12.2 8 14c-2-1.8-2.6-3.8-2.6-6S6 3.8 8 2z",
	topic: "M3 6.5v3h2.5l5 3v-9l-5 3zM13 6.3c.7 1 .7 2.4 0 3.4",
	stream: "M2 5.5c2-2 4 2 6 0s4 2 6 0M2 10.5c2-2 4 2 6 0s4 2 6 0",
	bus: "M8 2v12M8 5h5M8 11H3M3 8h10",
	clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.2 1.6",
	object: "M3 4.5 8 2l5 2.5v7L8 14l-5-2.5zM3 4.5 8 7l5-2.5M8 7v7",
	key: "M10 3a3 3 0 1 1-2.6 4.5L2.5 12.4V14H5v-1.6h1.5V11L8.8 8.7",
	invoke: "M5 2.5 12.5 8 5 13.5z",
	notice: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.2v3.6M8 4.9v.4",
	push: "M8 13V3M4.5 6.5 8 3l3.5 3.5",
	task: "M3 3h10v10H3zM5.6 8.1l1.7 1.7 3.2-3.5",
	done: "M3 8.5 6.3 12 13 4.5",
	failed: "M4 4l8 8M12 4l-8 8",
	retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.6",
	discarded: "M3.5 8h9",
	refused: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.8 3.8l8.4 8.4",
	unrouted: "M5.5 5.8C5.6 4 6.7 3.2 8 3.2s2.5.9 2.5 2.3C10.5 7.4 8 7.3 8 9.5M8 12.3v.5",
	died: "M8 2v7M8 12.3v.7",
	running: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
	bookmark: "M4.5 2.5h7v11L8 10.6l-3.5 2.9z",
	copy: "M6 5.5h7.5v8H6zM10.5 5.5v-3h-8v8H6",
	link: "M7 9a2.7 2.7 0 0 0 4 .2l2-2a2.7 2.7 0 0 0-3.8-3.8L8.3 4.3M9 7a2.7 2.7 0 0 0-4-.2l-2 2a2.7 2.7 0 0 0 3.8 3.8l.9-.9",
	edit: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.5 4.3l2.2 2.2",
	code: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5",
	back: "M10 3.5 5.5 8l4.5 4.5",
	search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 13.5 13.5",
	sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
	moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z",
	screen: "M2.5 3h11v8h-11zM6 13.5h4",
	add: "M8 3v10M3 8h10",
	warning: "M8 2.5 14.2 13.3H1.8zM8 6.5v3.3M8 11.5v.3",
	fit: "M2.5 5.5v-3h3M13.5 5.5v-3h-3M2.5 10.5v3h3M13.5 10.5v3h-3",
	minus: "M3 8h10",
};

export function Icon({name, label = null, className = ""}) {
	return html`<svg class="icon ${className}" viewBox="0 0 16 16" role=${label ? "img" : null} aria-label=${label} aria-hidden=${label ? null : "true"}>
		<path d=${PATHS[name] ?? PATHS.notice} />
	</svg>`;
}

const FAMILIES = {
	rest: "http", http: "http", url: "http", alb: "http", lattice: "http", appsync: "http", "appsync-events": "connections",
	websocket: "connections", sqs: "queues", activemq: "queues", rabbitmq: "queues", sns: "topic",
	dynamodb: "stream", kinesis: "stream", kafka: "stream", documentdb: "stream", firehose: "stream", logs: "stream",
	s3: "object", "s3-batch": "object", "s3-object": "object", eventbridge: "bus", schedule: "clock", alarm: "clock",
	cognito: "key", authorizer: "key", "appsync-authorizer": "key", invoke: "invoke", mcp: "invoke",
};

export function family(entry) {
	if (entry.kind && entry.kind !== "event") return entry.kind;
	return FAMILIES[entry.source] ?? "invoke";
}
