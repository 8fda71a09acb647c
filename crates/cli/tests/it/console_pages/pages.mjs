// Walks through the console's pages in a browser. Arguments: the console's URL, the folder of npm's packages, and where
// screenshots go (optional). Each complaint is a line on standard output; the exit code is 1 if there is any.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [base, packages, shots] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const complaints = [];
const complain = (text) => complaints.push(text);
if (shots) mkdirSync(shots, { recursive: true });

const VIEWS = [
  { name: "wide-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "wide-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "narrow-light", viewport: { width: 320, height: 720 }, colorScheme: "light" },
  { name: "narrow-dark", viewport: { width: 320, height: 720 }, colorScheme: "dark" },
];

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Opens a page that complains of every request that is refused, fails or leaves for another host. */
async function open(view) {
  const context = await browser.newContext({ ...view, reducedMotion: "reduce" });
  const page = await context.newPage();
  const where = () => `${view.name ?? "page"} ${page.url().replace(base, "")}`;
  page.on("console", (message) => {
    if (message.type() === "error") complain(`${where()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complain(`${where()}: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) {
      complain(`${where()} asks another host: ${request.url()}`);
    }
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complain(`${where()}: ${response.status()} for ${response.url()}`);
  });
  return page;
}

async function pagesOf(page) {
  const links = (selector) => page.$$eval(selector, (found) => found.map((a) => a.getAttribute("href")));
  await page.goto(`${base}/`);
  const menu = await links("nav a[href]");
  await page.goto(`${base}/fleet`);
  const app = (await links('main a[href^="/apps/"]'))[0];
  await page.goto(`${base}${app}`);
  const run = (await links('main a[href^="/runs/"]'))[0];
  const restore = (await links('main a[href^="/restores/form"]'))[0];
  const act = (await links('main a[href^="/acts/"]'))[0];
  if (!app || !run) complain(`the fleet has no app to look at (${app}), or the app no run (${run})`);
  return [...new Set([...menu, app, run, restore, act])].filter(Boolean);
}

/** No serious finding of axe, nothing wider than the window, one heading of the first level. */
async function inspect(page, view, path) {
  await page.goto(`${base}${path}`);
  await check(page, view, path);
}

/** The same of the page that is open. */
async function check(page, view, path) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, help, nodes } of violations) {
    if (impact === "serious" || impact === "critical") {
      complain(`${view.name} ${path}: ${id}: ${help}: ${nodes[0].html.slice(0, 200)}`);
    }
  }
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (wide > window) complain(`${view.name} ${path}: ${wide} pixels wide in a window of ${window}`);
  const headings = await page.locator("h1").count();
  if (headings !== 1) complain(`${view.name} ${path}: ${headings} headings of the first level`);
  if (shots) {
    const name = path.split("?")[0].replace(/^\/apps\/.*/, "/app").replace(/^\/runs\/.*/, "/run");
    const file = `${name === "/" ? "overview" : name.slice(1).replaceAll("/", "-")}-${view.name}.png`;
    await page.screenshot({ path: join(shots, file), fullPage: true });
  }
}

/** Two apps are chosen in the fleet; the page that shows the plan to restore them to new apps is open afterwards. */
async function planForTwo(page, look) {
  await page.goto(`${base}/fleet?condition=good`);
  const boxes = page.locator("main input[type=checkbox][name=app]");
  for (const place of [0, 1]) await boxes.nth(place).check();
  await page.click('button[formaction="/restores/many/form"][value=some]');
  await look("/restores/many/form");
  await page.check("input[name=target][value=new]");
  await page.fill("input[name=name]", "{app}-restored");
  await page.click('form[action="/restores/many/plan"] button');
  await page.waitForSelector("input[name=confirm]");
  await look("/restores/many/plan");
}

/** Two apps are chosen in the fleet, and a form of its menu for them is looked at. */
async function formOfMenu(page, look, path) {
  await page.goto(`${base}/fleet?condition=good`);
  const boxes = page.locator("main input[type=checkbox][name=app]");
  for (const place of [0, 1]) await boxes.nth(place).check();
  await page.click("details.acts summary");
  if (path.startsWith("/drills")) await look("/fleet-menu");
  await page.click(`button[formaction="${path}"][value=some]`);
  await page.waitForSelector("form.confirm");
  await look(path);
}

/** Two apps are restored to new ones without JavaScript: planned, confirmed by their number, and started once. */
async function restoreTwoWithoutScript() {
  const page = await open({ javaScriptEnabled: false, name: "restore without JavaScript" });
  await planForTwo(page, async () => {});
  await page.fill("input[name=confirm]", "2");
  await Promise.all([page.waitForURL(/\/acts\/.*\/result/), page.click('form[action="/restores/many"] button')]);
  const told = await page.locator("main").innerText();
  if (!/^2 restores start now/.test(told)) complain(`the result does not say what began: ${told.slice(0, 300)}`);
  await page.context().close();
}

/** Without JavaScript every page of the menu is reached by its link. */
async function walkWithoutScript(paths) {
  const page = await open({ javaScriptEnabled: false, name: "without JavaScript" });
  for (const path of paths) {
    await page.goto(`${base}${path}`);
    if (!(await page.locator("h1").innerText()).trim()) complain(`${path} says nothing without JavaScript`);
  }
  await page.context().close();
}

/** Presses Tab until the element that `selector` names has the focus. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 200; presses += 1) {
    if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) return true;
    await page.keyboard.press("Tab");
  }
  complain(`the keyboard does not reach ${selector} on ${page.url()}`);
  return false;
}

/** One app is chosen, confirmed and backed up with the keyboard alone; the run is then in the activity. */
async function backUpByKeyboard() {
  const page = await open({ viewport: { width: 1280, height: 900 }, name: "keyboard" });
  await page.goto(`${base}/fleet`);
  await page.keyboard.press("/");
  if (!(await page.evaluate(() => document.activeElement?.matches("input[type=search]")))) {
    complain("the key / does not lead to the search");
  }
  await page.keyboard.press("Escape");
  if (!(await tabTo(page, "main input[type=checkbox][name=app]"))) return;
  await page.keyboard.press("Space");
  if (!(await tabTo(page, 'main button[formaction="/backups/preview"], form[action="/backups/preview"] button'))) return;
  await Promise.all([page.waitForURL("**/backups/preview"), page.keyboard.press("Enter")]);
  if (await page.locator("main input[name=confirm], main input[name=count]").count()) {
    await tabTo(page, "main input[name=confirm], main input[name=count]");
    await page.keyboard.type("1");
  }
  if (!(await tabTo(page, 'form[action="/backups"] button'))) return;
  await Promise.all([page.waitForURL(/\/backups\/(?!preview)/), page.keyboard.press("Enter")]);
  const told = await page.locator("main").innerText();
  if (!/^One backup starts now/.test(told)) complain(`the result does not say what began: ${told.slice(0, 300)}`);
  await page.context().close();
}

try {
  const first = await open(VIEWS[0]);
  const paths = await pagesOf(first);
  if (paths.length < 6) complain(`only ${paths.length} pages: ${paths}`);
  await first.context().close();
  for (const view of VIEWS) {
    const page = await open(view);
    for (const path of paths) await inspect(page, view, path);
    const look = (path) => check(page, view, path);
    await planForTwo(page, look);
    for (const path of ["/drills/many/form", "/holds/many/preview"]) await formOfMenu(page, look, path);
    await page.context().close();
  }
  await walkWithoutScript(paths);
  await backUpByKeyboard();
  await restoreTwoWithoutScript();
} finally {
  await browser.close();
}
for (const complaint of new Set(complaints)) console.log(complaint);
process.exit(complaints.length > 0 ? 1 : 0);
