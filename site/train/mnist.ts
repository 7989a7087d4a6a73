/** MNIST, arriving in parts while the first ones are trained on. */
import { fetchBytes } from "../runtime.js";
import { PIXELS, type DataSet, type Examples } from "./dataSet.js";
import { partNames, splitPart } from "./mnistParts.js";

/** How many of the first test images the page shows. */
const SHOWN = 18;

async function fetchPart(name: string): Promise<ReturnType<typeof splitPart>> {
  const packed = new Blob([await fetchBytes(name)]).stream();
  const unpacked = new Response(packed.pipeThrough(new DecompressionStream("gzip")));
  return splitPart(new Uint8Array(await unpacked.arrayBuffer()));
}

/** The images of one set, as far as they have arrived. */
class Arriving {
  readonly #x: Uint8Array;
  readonly #labels: Uint8Array;
  count = 0;
  /** The files that are not there yet. */
  readonly #names: string[];
  #next: Promise<void> | undefined;

  constructor(set: "train" | "test", images: number) {
    this.#names = partNames(set, images);
    this.#x = new Uint8Array(images * PIXELS);
    this.#labels = new Uint8Array(images);
  }

  /** Fetches the next part, if one is missing. A part that fails to arrive is asked for again by the next call. */
  load(): Promise<void> {
    const [name] = this.#names;
    if (name === undefined) return Promise.resolve();
    this.#next ??= fetchPart(name)
      .then(({ x, labels, count }) => {
        this.#labels.set(labels, this.count);
        this.#x.set(x, this.count * PIXELS);
        this.count += count;
        this.#names.shift();
      })
      .finally(() => {
        this.#next = undefined;
      });
    return this.#next;
  }

  get complete(): boolean {
    return this.#names.length === 0;
  }

  async examples(): Promise<Examples> {
    if (this.count === 0) await this.load();
    return { x: this.#x.subarray(0, this.count * PIXELS), labels: this.#labels.subarray(0, this.count) };
  }
}

export class Mnist implements DataSet {
  readonly features = PIXELS;
  readonly classes = 10;
  readonly total = 60_000;
  readonly rest = 0;
  readonly #train = new Arriving("train", this.total);
  readonly #test = new Arriving("test", 10_000);
  #arriving = false;

  get arrived(): number {
    return this.#train.count;
  }

  async train(): Promise<Examples> {
    if (!this.#arriving) void this.#fetchAll();
    return this.#train.examples();
  }

  test(): Promise<Examples> {
    return this.#test.examples();
  }

  get shown(): Promise<Examples> {
    return this.test().then(({ x, labels }) => ({
      x: x.subarray(0, SHOWN * PIXELS),
      labels: labels.subarray(0, SHOWN),
    }));
  }

  /** One part after the other; what fails is tried again when training asks for more. */
  async #fetchAll(): Promise<void> {
    this.#arriving = true;
    try {
      await Promise.all([this.#train.load(), this.#test.load()]);
      while (!this.#test.complete) await this.#test.load();
      while (!this.#train.complete) await this.#train.load();
    } catch {
      this.#arriving = false;
    }
  }
}
