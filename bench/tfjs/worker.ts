/** One backend of TensorFlow.js in a process of its own: makes networks and trains them as it is asked to. */
import * as tf from "@tensorflow/tfjs-core";
import { startBackend, type BackendName } from "../../examples/tfjs/backends.js";
import { makeModel, type ModelName, type Training } from "../../examples/tfjs/models.js";

/** A network to make and to train for some steps, or steps to time of the one that is there. */
export type Request = { readonly model: ModelName; readonly steps: number } | { readonly time: number };

/** The losses of the first steps, the milliseconds of a timed one, or what went wrong. */
export interface Reply {
  readonly losses?: number[];
  readonly milliseconds?: number;
  readonly error?: string;
}

let training: Training | undefined;

async function answer(request: Request): Promise<Reply> {
  if ("model" in request) {
    training = makeModel(request.model);
    const losses: number[] = [];
    for (let i = 0; i < request.steps; i++) losses.push(await step(training));
    return { losses };
  }
  const begin = performance.now();
  for (let i = 0; i < request.time && training; i++) await step(training);
  return { milliseconds: (performance.now() - begin) / request.time };
}

const step = ({ model, x, y }: Training) => model.trainOnBatch(x, y) as Promise<number>;

const send = (reply: Reply) => process.send?.(reply);

tf.env().set("PROD", true); // checks no shapes twice and no values for NaN
await startBackend(process.argv[2] as BackendName);
process.on("message", (request: Request) => {
  answer(request).then(send, (error: unknown) => send({ error: (error as Error).message }));
});
send({});
