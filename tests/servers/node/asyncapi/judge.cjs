// Print what the parser finds wrong with AsyncAPI documents: for each file a list of [severity, code, message, path].
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");
const { AvroSchemaParser } = require("@asyncapi/avro-schema-parser");
const { ProtoBuffSchemaParser } = require("@asyncapi/protobuf-schema-parser");

const SEVERITIES = ["error", "warning", "info", "hint"];

async function judge(file) {
  const parser = new Parser();
  parser.registerSchemaParser(AvroSchemaParser());
  parser.registerSchemaParser(ProtoBuffSchemaParser());
  const { document, diagnostics } = await parser.parse(readFileSync(file, "utf-8"));
  const found = diagnostics.map((one) => [SEVERITIES[one.severity], one.code, one.message, one.path.join("/")]);
  return document ? found : [...found, ["error", "no-document", "it cannot be read", ""]];
}

Promise.all(process.argv.slice(2).map(judge)).then((all) => console.log(JSON.stringify(all)));
