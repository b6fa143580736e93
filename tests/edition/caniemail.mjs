// Reads HTML on standard input and writes what mail programs cannot do with it: {"feature": ["program", …], …}.
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

// What the members read mail with. Thunderbird is left out: what this knows of it has gaps that it stops at.
const clients = ["apple-mail.*", "gmail.*", "outlook.android", "outlook.ios", "outlook.macos", "outlook.outlook-com",
  "outlook.windows", "samsung-email.*"];
const unsupported = {};
for (const [client, issues] of caniemail({ clients, html: readFileSync(0, "utf8") }).issues.errors)
  for (const { title } of issues) (unsupported[title] ??= []).push(client);
console.log(JSON.stringify(unsupported));
