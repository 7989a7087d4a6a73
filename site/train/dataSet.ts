/** What the trainer needs of a data set, whether it is drawn here or still arriving over the network. */

/** Pixels on the side of an MNIST image, and in all of it. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/** Cells on a side of the grid that shows how the plane is divided, and half the length of that side. */
export const GRID = 60;
export const EXTENT = 1.2;

/** Examples × features with a class for each. */
export interface Examples {
  readonly x: Float32Array | Uint8Array;
  readonly labels: Uint8Array;
}

export interface DataSet {
  readonly features: number;
  readonly classes: number;
  /** How many examples there will be to train with. */
  readonly total: number;
  /** Milliseconds to rest after each pass, so that training on few examples can be watched. */
  readonly rest: number;
  /** How many of them have arrived. */
  readonly arrived: number;
  /** What has arrived to train with, at least something; rejects where nothing can. */
  train(): Promise<Examples>;
  /** What has arrived to test with, at least something. */
  test(): Promise<Examples>;
  /** What the page shows: digits to read, or points of the plane to colour. */
  readonly shown: Promise<Examples>;
}
