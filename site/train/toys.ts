/** Small sets in the plane, drawn by the library's own seeded kernels: the same points on every engine. */
import { cos, randomNormal, randomUniform, sin, type Runtime } from "../../src/core.js";
import type { DataSetName } from "./choices.js";
import { EXTENT, GRID, type DataSet, type Examples } from "./dataSet.js";

export type ToyName = Exclude<DataSetName, "mnist">;

const TRAIN = 1024;
const TEST = 512;
const TURN = 2 * Math.PI;

/** A class, and where a point of it lies: `radius` from a centre in the direction `angle`. */
interface Place {
  readonly label: number;
  readonly radius: number;
  readonly angle: number;
  readonly x?: number;
  readonly y?: number;
}

interface Toy {
  readonly classes: number;
  /** The deviation of what is added to both coordinates. */
  readonly noise: number;
  /** The i-th point, drawn by u and v, both uniform in [0, 1). */
  place(i: number, u: number, v: number): Place;
}

const TOYS: Record<ToyName, Toy> = {
  spirals: {
    classes: 3,
    noise: 0.025,
    place: (i, u) => ({ label: i % 3, radius: 0.08 + 0.92 * u, angle: TURN * ((i % 3) / 3 + 0.75 * u) }),
  },
  circles: {
    classes: 2,
    noise: 0.05,
    place: (i, u) => ({ label: i % 2, radius: i % 2 === 0 ? 0.4 : 0.9, angle: TURN * u }),
  },
  moons: {
    classes: 2,
    noise: 0.06,
    place: (i, u) => {
      const side = i % 2 === 0 ? -1 : 1;
      return { label: i % 2, radius: 0.65, angle: (TURN / 2) * (u + (i % 2)), x: 0.32 * side, y: 0.15 * side };
    },
  },
  checkerboard: {
    classes: 2,
    noise: 0,
    place: (_, u, v) => {
      const [column, row] = [Math.floor(4 * u), Math.floor(4 * v)];
      // A little inside their square, so that a gap separates the classes.
      const inside = (cell: number, share: number) => (cell + 0.08 + 0.84 * (share - cell)) / 2 - 1;
      return { label: (column + row) % 2, radius: 0, angle: 0, x: inside(column, 4 * u), y: inside(row, 4 * v) };
    },
  },
};

/** x = centre + radius · (cos angle, sin angle) + noise, for `count` points. */
function draw(runtime: Runtime, toy: Toy, count: number, seed: number): Examples {
  return runtime.scope(() => {
    const uniform = randomUniform(runtime, [2 * count], { seed, stream: 0 }).toArray();
    const places = Array.from({ length: count }, (_, i) =>
      toy.place(i, uniform[2 * i] as number, uniform[2 * i + 1] as number),
    );
    const angles = runtime.tensor(places.map(({ angle }) => angle));
    const cosines = cos(angles).toArray();
    const sines = sin(angles).toArray();
    const noise = randomNormal(runtime, [2 * count], { seed, stream: 1, deviation: toy.noise }).toArray();
    const x = places.flatMap(({ radius, x = 0, y = 0 }, i) => [
      x + radius * (cosines[i] as number) + (noise[2 * i] as number),
      y + radius * (sines[i] as number) + (noise[2 * i + 1] as number),
    ]);
    return { x: Float32Array.from(x), labels: Uint8Array.from(places, ({ label }) => label) };
  });
}

/** The middles of the grid's cells, row by row from the top left. */
function gridPoints(): Float32Array {
  const at = (cell: number) => EXTENT * ((2 * (cell + 0.5)) / GRID - 1);
  const points = Array.from({ length: GRID * GRID }, (_, i) => [at(i % GRID), -at(Math.floor(i / GRID))]);
  return Float32Array.from(points.flat());
}

export class ToySet implements DataSet {
  readonly features = 2;
  readonly classes: number;
  readonly total = TRAIN;
  readonly rest = 15;
  readonly arrived = TRAIN;
  readonly #train: Examples;
  readonly #test: Examples;

  constructor(runtime: Runtime, name: ToyName, seed: number) {
    const toy = TOYS[name];
    this.classes = toy.classes;
    this.#train = draw(runtime, toy, TRAIN, 2 * seed);
    this.#test = draw(runtime, toy, TEST, 2 * seed + 1);
  }

  train(): Promise<Examples> {
    return Promise.resolve(this.#train);
  }

  test(): Promise<Examples> {
    return Promise.resolve(this.#test);
  }

  get shown(): Promise<Examples> {
    return Promise.resolve({ x: gridPoints(), labels: new Uint8Array(0) });
  }
}
