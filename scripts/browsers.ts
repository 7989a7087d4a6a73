/** Opens pages in real browsers without a driver: each is started on an address, and the page posts what it found. */
import { spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { signalGroup, start } from "./children.js";
import { serveFolder, type ServeOptions } from "./serve.js";

export const BROWSERS = ["chromium", "firefox", "webkit"] as const;

export type BrowserName = (typeof BROWSERS)[number];

/** How to start one: its profile, where it writes one, is `folder`. */
interface Start {
  /** What must be installed, and the Debian package that brings it. */
  readonly needs: Readonly<Record<string, string>>;
  command(address: string, folder: string): string[];
}

/** WebKitGTK's own little browser; Debian keeps it out of the PATH. */
const MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

const CHROMIUM = [
  "--headless",
  "--no-sandbox", // which containers do not allow
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--window-size=1280,900",
  "--enable-logging=stderr",
];

/** Nothing but the page: no welcome, no updates, no telemetry. */
const FIREFOX = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.region.network.url": "",
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

const STARTS: Record<BrowserName, Start> = {
  chromium: {
    needs: { chromium: "chromium" },
    command: (address, folder) => ["chromium", ...CHROMIUM, `--user-data-dir=${folder}`, address],
  },
  firefox: {
    needs: { "firefox-esr": "firefox-esr" },
    command: (address, folder) => {
      const lines = Object.entries(FIREFOX).map((entry) => `user_pref(${JSON.stringify(entry).slice(1, -1)});`);
      writeFileSync(path.join(folder, "user.js"), lines.join("\n"));
      return ["firefox-esr", "--headless", "--no-remote", "--profile", folder, address];
    },
  },
  webkit: {
    needs: { [MINI_BROWSER]: "webkit2gtk-driver", "xvfb-run": "xvfb", xauth: "xauth" },
    command: (address) => ["xvfb-run", "-a", MINI_BROWSER, "--private", address],
  },
};

/** What WebKitGTK keeps behind switches and others have, relaxed SIMD and shared memory; and a language that Intl knows. */
const ENVIRONMENT = {
  JSC_useWasmRelaxedSIMD: "1",
  JSC_useSharedArrayBuffer: "1",
  LIBGL_ALWAYS_SOFTWARE: "1",
  LC_ALL: "en_US.UTF-8",
};

/** Why a browser cannot be opened here; undefined where it can. */
export function missing(name: BrowserName): string | undefined {
  const packages = Object.entries(STARTS[name].needs)
    .filter(([command]) => !existsSync(command) && spawnSync("which", [command]).status !== 0)
    .map(([, debian]) => debian);
  return packages.length === 0 ? undefined : `${name} is not installed: apt-get install ${packages.join(" ")}`;
}

export interface VisitOptions extends Omit<ServeOptions, "onPost"> {
  /** The page in the folder, with its query. */
  readonly page?: string;
  /** Seconds until the page must have posted. */
  readonly timeout: number;
  /** What the browser's command is started by, such as taskset. */
  readonly prefix?: readonly string[];
  /** Variables of the browser's environment beside the usual ones. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Visit<Result> {
  readonly result: Result;
  /** What the browser itself printed. */
  readonly log: string;
}

/** Serves a folder, opens it in a browser and resolves to the first JSON that the page posts. */
export async function visit<Result>(name: BrowserName, folder: string, options: VisitOptions): Promise<Visit<Result>> {
  const { page = "", timeout, prefix = [], environment = {}, ...serveOptions } = options;
  let post: (result: Result) => void = () => undefined;
  let refuse: (reason: Error) => void = () => undefined;
  const posted = new Promise<Result>((resolve, reject) => ([post, refuse] = [resolve, reject]));
  const server = await serveFolder(folder, { ...serveOptions, onPost: (body) => post(JSON.parse(body) as Result) });
  const profile = mkdtempSync(path.join(tmpdir(), `${name}-`));
  const command = [...prefix, ...STARTS[name].command(server.address + page, profile)];
  const own = { HOME: profile, XDG_RUNTIME_DIR: profile };
  const browser = start(command, { ...process.env, ...ENVIRONMENT, ...environment, ...own });
  let log = "";
  for (const stream of [browser.stdout, browser.stderr]) stream.on("data", (text) => (log += String(text)));
  const fail = (reason: string) => refuse(new Error(`${name} ${reason}.\n${log.slice(-2000)}`));
  const timer = setTimeout(() => fail(`posted nothing within ${timeout} s`), timeout * 1e3);
  browser.once("error", (error) => fail(`did not start: ${error.message}`));
  browser.once("exit", (code, signal) => fail(`ended early (${signal ?? `exit code ${code}`})`));
  try {
    return { result: await posted, log };
  } finally {
    clearTimeout(timer);
    server.close();
    await end(browser);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends a browser and what it started: politely, then after three seconds for certain. */
async function end(browser: ChildProcess): Promise<void> {
  const gone = browser.exitCode !== null || browser.signalCode !== null;
  const exit = gone ? Promise.resolve() : new Promise((resolve) => browser.once("exit", resolve));
  signalGroup(browser, "SIGTERM");
  await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 3000))]);
  signalGroup(browser, "SIGKILL");
}
