// Accessibility faults of pages in Chromium, in light and dark, at the width of a phone and of a desk.
// node axe.mjs FILE... prints JSON: [{file, width, scheme, violations: [{id, impact, nodes: [html]}]}]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
});
const page = await browser.newPage();
await page.setRequestInterception(true);
page.on("request", (request) => (request.url().startsWith("file:") ? request.continue() : request.abort()));

async function show(file, width, scheme) {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(pathToFileURL(resolve(file)).href);
}

// A page wider than its window is a fault too.
async function overflow() {
  const pixels = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  return pixels > 0 ? [{ id: "overflow", impact: "serious", nodes: [`${pixels} px too wide`] }] : [];
}

async function faults() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html) }));
}

const results = [];
for (const file of process.argv.slice(2)) {
  for (const width of [375, 600]) {
    for (const scheme of ["light", "dark"]) {
      await show(file, width, scheme);
      results.push({ file, width, scheme, violations: [...(await faults()), ...(await overflow())] });
    }
  }
  await show(file, 320, "light");
  results.push({ file, width: 320, scheme: "light", violations: await overflow() });
}
await browser.close();
console.log(JSON.stringify(results));
