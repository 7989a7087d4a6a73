/**
 * What a visitor does, in a script that runs in the page before its own: trains, draws, saves, looks inside, measures, and
 * posts which steps went right. browsers.ts opens the page with it in each browser.
 */
import { choose, draw, find, press, read, readNumber, sleep, type, until } from "./hands.js";
import { errors, longTasks, refusedRequests, watch } from "./watch.js";

export interface Step {
  readonly name: string;
  /** What went wrong, if anything. */
  readonly error?: string;
}

export interface Findings {
  readonly steps: readonly Step[];
  /** For information: milliseconds, from the start of the navigation where nothing else is said. */
  readonly figures: Readonly<Record<string, number>>;
}

const figures: Record<string, number> = {};

function expect(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

/** A circle of 24 strokes. */
const ZERO = Array.from({ length: 25 }, (_, i) => {
  const angle = (i / 12) * Math.PI;
  return [0.5 + 0.22 * Math.sin(angle), 0.5 - 0.32 * Math.cos(angle)] as const;
});

const SHAPES = {
  0: ZERO,
  1: [
    [0.52, 0.15],
    [0.48, 0.85],
  ],
  7: [
    [0.25, 0.2],
    [0.75, 0.2],
    [0.42, 0.85],
  ],
} as const;

/** What "Download" offers, without a download. */
let offered: Blob | undefined;

const STEPS: Record<string, () => Promise<void> | void> = {
  "trains on MNIST to at least 95 %": async () => {
    await until("the page can train", () => !find<HTMLButtonElement>("#run").disabled);
    const pressed = performance.now();
    await press("#run");
    await until("a loss is shown", () => readNumber("#loss") > 0);
    figures["training under way"] = performance.now();
    const begin = performance.now();
    await until("the test accuracy is 95 %", () => readNumber("#accuracy") >= 95, 120);
    figures["from there to 95 %"] = performance.now() - begin;
    const blocked = longTasks.filter(({ start }) => start >= pressed).map(({ duration }) => duration);
    figures["longest task of more than 50 ms meanwhile"] = Math.max(0, ...blocked);
  },
  "pauses and resumes": async () => {
    await press("#run");
    await until("the button says Resume", () => read("#run") === "Resume");
    await sleep(300); // for a report on its way
    const epoch = read("#epoch");
    await sleep(1000);
    expect(read("#epoch") === epoch, "It went on while it was paused.");
    await press("#run");
    await until("it goes on", () => read("#epoch") !== epoch);
  },
  "reads drawn digits": async () => {
    for (const [digit, points] of Object.entries(SHAPES)) {
      await press("#clear");
      expect(/nothing/i.test(read("#reading")), "Clearing left a reading.");
      draw("#pad", points);
      await until(`a drawn ${digit} is read as one`, () => read("#reading").startsWith(`It reads ${digit}`), 10);
    }
  },
  "reads a digit drawn by keyboard": async () => {
    type("#pad", "Delete", ...Array<string>(7).fill("ArrowUp"), " ", ...Array<string>(14).fill("ArrowDown"), " ");
    await until("a line drawn by arrows is read as 1", () => read("#reading").startsWith("It reads 1"), 10);
    find("#pad").blur();
  },
  "shows test digits with their readings": () => {
    const right = [...find("#digits").children].filter(({ className }) => className === "");
    expect(right.length >= 14, `Of 18 digits only ${right.length} are right.`);
  },
  "offers the weights and takes them back": async () => {
    await press("#run");
    await until("the button says Resume", () => read("#run") === "Resume");
    const create = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (blob: Blob) => create((offered = blob));
    HTMLAnchorElement.prototype.click = () => undefined;
    await press("#download");
    await until("a file is offered", () => offered !== undefined, 10);
    await press("#restart");
    await until("the new network knows nothing", () => readNumber("#accuracy") < 40, 20);
    const files = new DataTransfer();
    files.items.add(new File([offered!], "weights.safetensors"));
    const input = find<HTMLInputElement>("#weights-file");
    input.files = files.files;
    input.dispatchEvent(new Event("change"));
    await until("the network knows digits again", () => readNumber("#accuracy") >= 94, 20);
  },
  "says what is wrong with a file": async () => {
    const files = new DataTransfer();
    files.items.add(new File(["no weights at all"], "notes.txt"));
    const input = find<HTMLInputElement>("#weights-file");
    input.files = files.files;
    input.dispatchEvent(new Event("change"));
    await until("the status says so", () => /safetensors format/.test(read("#train-status")), 10);
  },
  "trains on points of the plane and shows how it divides it": async () => {
    choose('[name="data"]', "spirals");
    await until("there is a new network", () => read("#train-status").includes("parameters"));
    await press("#run");
    await until("the test accuracy is 95 %", () => readNumber("#accuracy") >= 95, 60);
    const { data } = find<HTMLCanvasElement>("#surface").getContext("2d")!.getImageData(0, 0, 480, 480);
    const colors = new Set(Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]! * 256 + data[4 * i + 2]!));
    expect(colors.size > 20, `The surface has ${colors.size} colours.`);
    await press("#restart");
  },
  "switches the ten-layer experiment": async () => {
    await until("the experiment has run", () => read("#verdict").includes("keep their spread"));
    choose('#experiment [name="initialization"]', "small");
    await until("small weights fade", () => read("#verdict").includes("activations shrink"));
    find<HTMLInputElement>('#experiment [name="batchNorm"]').click();
    await until("batch normalization mends them", () => read("#verdict").includes("keep their spread"));
    choose('#experiment [name="activation"]', "tanh");
    await until("tanh runs", () => find("#activations").querySelectorAll("canvas").length === 10);
  },
  "shows values and gradients on the edges of a graph": async () => {
    const labels = (kind: string) =>
      [...document.querySelectorAll(`#graph .${kind}`)].map((label) => label.textContent);
    await until("the graph is drawn", () => labels("gradient").length === 7);
    expect(labels("value").join() === "3,−1,−1,2,2,2,4", `The values are ${labels("value").join()}.`);
    expect(labels("gradient").join() === "2,2,0,2,2,2,1", `The gradients are ${labels("gradient").join()}.`);
    choose('#inputs [name="x"]', "4");
    await until("the graph follows a slider", () => labels("value")[0] === "4" && labels("value").at(-1) === "6");
    choose('#expression [name="name"]', "neuron");
    await until("the graph is another one", () => labels("gradient").length === 9);
  },
  "measures, and copies the result": async () => {
    await press("#measure-run");
    await until("results are shown", () => !find("#measure-result").hidden, 120);
    const shares = [...document.querySelectorAll("#measured tr")].map((row) =>
      parseFloat(row.children[2]!.textContent),
    );
    expect(shares.length === 10 && shares.every((share) => share > 0), `The shares are ${shares.join()}.`);
    expect(readNumber("#peak") > 1, `The peak is ${read("#peak")}.`);
    expect(read("#features").startsWith("SIMD"), `The features are ${read("#features")}.`);
    await press("#measure-copy");
    await until("the result is copied or offered", () => /[Cc]op(ied|y the text)/.test(read("#measure-status")), 10);
  },
  "fits a phone": () => {
    const { scrollWidth, clientWidth } = document.documentElement;
    expect(scrollWidth <= clientWidth, `The page is ${scrollWidth} pixels wide in a window of ${clientWidth}.`);
  },
};

/** Runs the steps up to the first that fails, which the others build on, and always the last. */
async function walk(): Promise<Step[]> {
  const steps: Step[] = [];
  const run = async (name: string, work: () => Promise<void> | void) => {
    try {
      await work();
      steps.push({ name });
    } catch (error) {
      steps.push({ name, error: error instanceof Error ? error.message : String(error) });
    }
  };
  for (const [name, work] of Object.entries(STEPS)) {
    await run(name, work);
    if (steps.at(-1)?.error !== undefined) break;
  }
  await run("makes no error", () => {
    const all = [...errors, ...refusedRequests()];
    expect(all.length === 0, all.join("; "));
  });
  return steps;
}

async function visit(): Promise<void> {
  const steps = await walk();
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  if (paint) figures["first paint"] = paint.startTime;
  await fetch("findings", { method: "POST", body: JSON.stringify({ steps, figures } satisfies Findings) });
}

watch();
addEventListener("DOMContentLoaded", () => void visit());
