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
const results = [];
for (const file of process.argv.slice(2)) {
  for (const width of [375, 600]) {
    for (const scheme of ["light", "dark"]) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(pathToFileURL(resolve(file)).href);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (overflow > 0) violations.push({ id: "overflow", impact: "serious", nodes: [{ html: `${overflow} px too wide` }] });
      results.push({
        file, width, scheme,
        violations: violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html) })),
      });
    }
  }
}
await browser.close();
console.log(JSON.stringify(results));
