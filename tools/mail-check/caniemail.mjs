// Features of HTML and CSS that a mail uses and a mail reader lacks.
// node caniemail.mjs FILE... prints JSON: [{file, unsupported: {feature: [client]}, partial: {feature: [client]}}]
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const clients = ["gmail.*", "outlook.*", "apple-mail.*", "yahoo.*"];

function features(issues) {
  const found = {};
  for (const [client, list] of issues) {
    for (const { title } of list) (found[title] ??= new Set()).add(client);
  }
  return Object.fromEntries(Object.entries(found).map(([title, names]) => [title, [...names].sort()]));
}

const results = process.argv.slice(2).map((file) => {
  const { issues } = caniemail({ clients, html: readFileSync(file, "utf8") });
  return { file, unsupported: features(issues.errors), partial: features(issues.warnings) };
});
console.log(JSON.stringify(results));
